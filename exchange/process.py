"""Whether a process that left its id somewhere is still there."""

import os
import socket


def is_gone(host: str, pid: str) -> bool:
    """Whether process ``pid`` of ``host`` has ended; False also if it is of another host, or is not a process id."""
    if host != socket.gethostname() or not (pid.isascii() and pid.isdecimal()):
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # it is there, and another user's
        return False
    return False
