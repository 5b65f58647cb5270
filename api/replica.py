"""The gateway as Ray Serve sees it: an application made in the replica, watched, replaced."""

from typing import Any

from actors.platform.config import Platform
from actors.platform.logs import configure_logs


class GatewayReplica:
    """Hold one gateway application for the life of a replica.

    It is made here: one that was pickled would carry another process's connections.
    """

    def __init__(self, platform: Platform) -> None:
        configure_logs(platform.log_format, pairs=platform.topology.pairs)
        self._platform = platform
        self._application: Any = None

    def __serve_build_asgi_app__(self) -> Any:
        """Return the application; Serve starts and stops it with the replica."""
        # Imported here, or every process that deploys would load the whole web stack.
        from api.application import create_app

        self._application = create_app(self._platform)
        return self._application

    def check_health(self) -> None:
        """Raise when the replica has to be replaced."""
        ended = self._application.state.gateway.ended_loops()
        if ended:
            raise RuntimeError(f"the gateway's loops have ended: {', '.join(ended)}")
