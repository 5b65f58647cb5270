"""Guard: a server process that cannot outlive its parent; run as a script, by path.

    python -I -S guard.py PARENT_PID SIGNAL USER KEEP_SEARCH COMMAND...

A script between fork and exec, because code run by `subprocess` there is unsafe once threads are
alive. USER is a name or `-`. KEEP_SEARCH is 1 where that user has to pass folders that only root
may enter (a clone under /root): it then keeps the right to look names up, and nothing else of
root's.
"""

import ctypes
import os
import pwd
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_OVERRIDE = 1
_CAP_DAC_READ_SEARCH = 2
_CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def _prctl(option: int, argument: int, second: int = 0) -> None:
    if _libc.prctl(option, argument, second, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}) failed")


def _become(user: str, keep_search: bool) -> None:
    entry = pwd.getpwnam(user)
    if keep_search:
        _prctl(_PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    os.environ.update(HOME="/", USER=user, LOGNAME=user)
    if keep_search:
        # Containers often withhold READ_SEARCH from root but leave OVERRIDE.
        try:
            _keep(_CAP_DAC_READ_SEARCH)
        except OSError:
            _keep(_CAP_DAC_OVERRIDE)


def _keep(capability: int) -> None:
    header = _Header(_CAPABILITY_VERSION_3, 0)
    sets = (_Sets * 2)()
    for name in ("effective", "permitted", "inheritable"):
        setattr(sets[0], name, 1 << capability)
    if _libc.capset(ctypes.byref(header), sets) != 0:
        raise OSError(ctypes.get_errno(), f"capset({capability}) failed")
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability)


def main() -> None:
    """Drop privileges, tie the process to its parent, and become the command."""
    parent, death_signal, user, keep_search, *command = sys.argv[1:]
    if user != "-":
        _become(user, keep_search == "1")
    # After the change of user, which would clear it.
    _prctl(_PR_SET_PDEATHSIG, int(death_signal))
    if os.getppid() != int(parent):
        sys.exit("the parent ended before its server started")
    os.execv(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main()
