"""The kernel's compiler: numba makes instructions of the entries, and LLVM one object file of them.

What numba adds for errors is taken out again: no entry can end with one, and what would tell of it
calls into numba. What is left needs nothing but memory to work in, so that any process can load it.
"""

import llvmlite.binding as llvm
import numba
from numba import types

from actors.book.kernel.entries import ENTRIES
from actors.book.kernel.jit import OPTIONS
from actors.book.kernel.processor import target_machine

# LLVM writes calls of these itself; every process has them.
_EVERYWHERE = {"memcpy", "memmove", "memset"}


def object_code() -> bytes:
    """Return the machine code of all entries, each under its own name, for this processor.

    Raises AssertionError for a kernel that needs a function of numba or of Python when it runs.
    """
    machine = target_machine()
    whole = llvm.parse_assembly("")
    for function in ENTRIES:
        addresses = (types.int64,) * function.__code__.co_argcount
        compiled = numba.cfunc(types.void(*addresses), **OPTIONS)(function)
        module = llvm.parse_assembly(compiled.inspect_llvm())
        module.get_function(compiled.native_name).name = function.__name__
        whole.link_in(module)
    _keep_what_runs(whole, machine)
    return machine.emit_object(whole)


def _keep_what_runs(whole: llvm.ModuleRef, machine: llvm.TargetMachine) -> None:
    """Take out all that no entry reaches, once it is known that none of them fails."""
    entries = {function.__name__ for function in ENTRIES}
    for symbol in (*whole.functions, *whole.global_variables):
        if not symbol.is_declaration and symbol.name not in entries:
            symbol.linkage = "internal"
    passes = llvm.create_new_module_pass_manager()
    passes.add_ipsccp_pass()
    passes.add_simplify_cfg_pass()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(whole, llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options()))
    needed = {function.name for function in whole.functions if function.is_declaration}
    foreign = {name for name in needed if not name.startswith("llvm.")} - _EVERYWHERE
    if foreign:
        raise AssertionError(f"the kernel cannot run without {', '.join(sorted(foreign))}")
