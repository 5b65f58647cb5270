"""The kernel's machine code in this process: loaded from its file by LLVM, without numba.

Numba takes 43 MB of a process and a second of its start, and only to compile.
"""

import ctypes
import os
import platform
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import llvmlite.binding as llvm
import platformdirs

from actors.book.kernel.code_file import kept_code
from actors.book.kernel.processor import kind_of_processor, target_machine

# Numba's own word for it: the kernel's decorators then leave plain Python.
INTERPRETED = os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0")
_KERNEL = Path(__file__).parent
# What calls the machine code; all else in this folder is part of it.
_CALLERS = {"calls.py", "code_file.py", "interpreted.py", "machine_code.py", "memory.py"}
# What the layout is made of.
_FIELD = ("reasons.py", "records.py", "vocabulary.py")
Call = Callable[[int], None]
CallWithCommands = Callable[[int, int | bytes], None]


class MachineCode(NamedTuple):
    """The entries of `actors.book.kernel.entries`: each is called with the address of a frame.

    Commands come by their address or in bytes. Other threads run meanwhile. The code lies in the
    memory of `engine`.
    """

    apply_commands: CallWithCommands
    fill_depth: Call
    fill_images: Call
    hash_state: Call
    pack: Call
    load: Call
    copy_rows: Call
    engine: llvm.ExecutionEngine


@cache
def machine_code() -> MachineCode:
    """Return the kernel's entries; where no file has them, they are compiled: a minute's work."""
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), target_machine())
    code = kept_code(_key(), _folders(), _compiled)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    one = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
    two = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
    apply_commands, *others = map(engine.get_function_address, MachineCode._fields[:-1])
    return MachineCode._make((two(apply_commands), *map(one, others), engine))


def sources() -> list[Path]:
    """Return the files of which the machine code is made."""
    kernel = [path for path in sorted(_KERNEL.glob("*.py")) if path.name not in _CALLERS]
    return kernel + [_KERNEL.parent / name for name in _FIELD]


def _folders() -> tuple[Path, ...]:
    """Return where the code is kept: where Python keeps its own, or with the user's things."""
    return _KERNEL / "__pycache__", platformdirs.user_cache_path("forkast") / "kernel"


def _key() -> bytes:
    """Return all that the code depends on."""
    tools = (platform.python_version(), version("llvmlite"), version("numba"), version("numpy"))
    parts = [*tools, *kind_of_processor()]
    for source in sources():
        parts += [source.name, source.read_text()]
    return "\0".join(parts).encode()


def _compiled() -> bytes:
    from actors.book.kernel.compiler import object_code

    return object_code()
