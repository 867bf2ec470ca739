"""Inputs that are no file: servers that are polled, a topic, a listener, a mailbox."""
