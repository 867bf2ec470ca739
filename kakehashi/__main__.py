"""``python -m kakehashi``."""

from kakehashi.main import main

main()
