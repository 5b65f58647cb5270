"""This machine's processor, as LLVM knows it."""

import llvmlite.binding as llvm


def kind_of_processor() -> tuple[str, str, str]:
    """Return system and architecture, model and abilities: what machine code is made for."""
    features = llvm.get_host_cpu_features().flatten()
    return llvm.get_process_triple(), llvm.get_host_cpu_name(), features


def target_machine() -> llvm.TargetMachine:
    """Return what makes machine code for this processor, and for a process that loads it."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    triple, model, features = kind_of_processor()
    target = llvm.Target.from_triple(triple)
    return target.create_target_machine(
        cpu=model,
        features=features,
        opt=3,
        # As numba has it: LLVM's loader cannot do with the other kind on x86.
        reloc="static" if target.name.startswith("x86") else "default",
        codemodel="jitdefault",
        jit=True,
    )
