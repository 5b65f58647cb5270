"""Memory of a process that has started: what will live as long as it does is set aside."""

import ctypes
import gc


def settle() -> None:
    """Free what the start has left over, and keep the rest out of every later collection.

    Call once, when a process has all that it needs and before it serves. Modules, code and
    connections live as long as the process; a collection that walks over them holds the event loop
    up for tens of milliseconds. What is freed goes back to the system where its allocator can give
    it back, as glibc can.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
    gc.freeze()
