"""Become HAProxy as Serve starts it, on loopback only and tied to the life of Serve's proxy.

    python -I -S haproxy.py BINARY ARGUMENTS...

Serve writes HAProxy's configuration and opens its metrics port to every network; this stands
between the two, as `RAY_SERVE_HAPROXY_BINARY_PATH` allows. Nothing here imports anything beyond
the standard library, because it runs at every change of a route.
"""

import ctypes
import os
import re
import shlex
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def write_launcher(directory: Path, binary: str) -> Path:
    """Write the executable to name to Serve; returns its path."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "haproxy"
    command = shlex.join([sys.executable, "-I", "-S", str(Path(__file__).resolve()), binary])
    path.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    path.chmod(0o755)
    return path


def on_loopback(configuration: str) -> str:
    """Return the configuration with every address of this machine's own narrowed to loopback."""
    return re.sub(r"^(\s*bind )\*?:", r"\g<1>127.0.0.1:", configuration, flags=re.MULTILINE)


def main() -> None:
    """Narrow the configuration that `-f` names, then become HAProxy."""
    binary, *arguments = sys.argv[1:]
    configuration = Path(arguments[arguments.index("-f") + 1])
    configuration.write_text(on_loopback(configuration.read_text()))
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    os.execv(binary, [binary, *arguments])  # noqa: S606


if __name__ == "__main__":
    main()
