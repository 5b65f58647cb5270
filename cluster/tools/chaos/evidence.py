"""Evidence of a failure: where every process was, its data and its logs."""

import contextlib
import shutil
import subprocess
import sys
from pathlib import Path

from cluster.tools.chaos.bed import BrokenPlatform


def keep_evidence(broken: BrokenPlatform, folder: Path, evidence: Path) -> None:
    """Copy data and logs, as they are at the failure, away from the platform's end."""
    _write_stacks(broken, folder / "stacks.txt")
    shutil.rmtree(evidence, ignore_errors=True)
    shutil.copytree(folder, evidence, ignore_dangling_symlinks=True)


def _write_stacks(broken: BrokenPlatform, path: Path) -> None:
    """Write down where each Python process of the platform is, if py-spy can be had."""
    spy = shutil.which("py-spy", path=str(Path(sys.executable).parent))
    if spy is None:
        return
    with path.open("w") as file:
        for process in broken.processes():
            dump = [spy, "dump", "--pid", str(process.pid)]
            # Processes that are no Python, or have just ended, are told of by py-spy itself.
            with contextlib.suppress(subprocess.TimeoutExpired):
                subprocess.run(dump, stdout=file, stderr=subprocess.STDOUT, timeout=30, check=False)
