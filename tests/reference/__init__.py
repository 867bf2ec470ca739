"""The exchange as it should be, small and slow, and the audit that holds a running one against it."""
