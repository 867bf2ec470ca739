"""``kakehashi conformance``: what a feed is judged by, and how the result is shown and verified."""
