"""Machine code kept in a file, so that one process makes it and all others read it.

A file belongs to a key, which holds all that the code depends on. Its name says which key; so do
its first bytes, a digest of key and code. A file that is missing, damaged or of another key is made
anew.
"""

import hashlib
import os
import platform
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

_DIGEST = hashlib.sha256
_DIGEST_BYTES = _DIGEST().digest_size


def kept_code(key: bytes, folders: Iterable[Path], make: Callable[[], bytes]) -> bytes:
    """Return the code of a key from one of these folders; else make it and keep it.

    It goes into the first folder that takes it. Where none does, each process makes its own.
    """
    name = f"kernel-{_DIGEST(key).hexdigest()[:16]}.o"
    paths = [folder / name for folder in folders]
    for path in paths:
        if code := _read(path, key):
            return code
    code = make()
    for path in paths:
        if _is_written(path, key, code):
            break
    return code


def _read(path: Path, key: bytes) -> bytes:
    """Return the code of a file; no bytes where there is none or it is not the code of this key."""
    try:
        kept = path.read_bytes()
    except OSError:
        return b""
    code = kept[_DIGEST_BYTES:]
    return code if kept[:_DIGEST_BYTES] == _DIGEST(key + code).digest() else b""


def _is_written(path: Path, key: bytes, code: bytes) -> bool:
    """Write a file under another name and then give it its own; return whether that was possible.

    No two processes of machines that share a folder have the same other name.
    """
    unfinished = path.with_suffix(f".{platform.node()}-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_bytes(_DIGEST(key + code).digest() + code)
        unfinished.replace(path)
    except OSError:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        return False
    return True
