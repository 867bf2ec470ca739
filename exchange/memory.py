"""Memory that a process has freed, given back to its system."""

import ctypes


def give_back() -> None:
    """Have glibc return free memory: it keeps that of a burst of small objects, as after a restore. Others do not
    have this call, and nothing is done."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
