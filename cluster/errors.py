"""Errors of putting a platform together, as one tree.

    ForkastError (actors/platform/errors.py)
    └── ClusterError
        ├── SettingsError           a setting or the markets file says something impossible
        ├── ServerStartError        an embedded server did not come up, or cannot here
        ├── ServerUnreachableError  a server that a URL names does not answer
        ├── MigrationError          the schema's history is not the one that this build knows
        ├── DeployError             Ray, an actor or a Serve application did not come up
        ├── AlreadyRunningError     another platform holds the data folder or the port
        ├── LogReplacedError        the log is not the one that the data belong to, or was cut
        └── CannotVerifyError       a verification could not look at all that it has to compare

Every message is one sentence for the person at the terminal: the command line prints it and ends.
"""

from actors.platform.errors import ForkastError


class ClusterError(ForkastError):
    """Base of what stops `forkast up`."""


class SettingsError(ClusterError):
    """Refuse a setting, naming it."""


class ServerStartError(ClusterError):
    """Report that an embedded server did not come up, with the end of its log."""


class ServerUnreachableError(ClusterError):
    """Report that a server given by URL does not answer."""


class MigrationError(ClusterError):
    """Report a schema that was changed by someone else, or by a newer build."""


class DeployError(ClusterError):
    """Report that a part of the platform did not come up in time."""


class AlreadyRunningError(ClusterError):
    """Report that the data folder or the port is in use."""


class LogReplacedError(ClusterError):
    """Refuse a log that is not the one that rows, positions and snapshots belong to."""


class CannotVerifyError(ClusterError):
    """Report what kept a verification from being made; it says nothing about the data."""
