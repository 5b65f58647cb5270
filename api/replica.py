"""The gateway as Ray Serve sees it: an application made in the replica, watched, replaced."""

from typing import Any

from actors.platform.config import GatewayConfig
from actors.platform.logs import configure_logs


class GatewayReplica:
    """Hold one gateway application for the life of a replica.

    It is made here: one that was pickled would carry another process's connections.
    """

    def __init__(self, config: GatewayConfig) -> None:
        configure_logs(config.log_format, pairs=config.exchange.topology.pairs)
        self._config = config
        self._application: Any = None

    def __serve_build_asgi_app__(self) -> Any:
        """Return the application; Serve starts and stops it with the replica."""
        # Imported here, or every process that deploys would load the whole web stack.
        from api.application import STRAIGHT_PATHS, create_app
        from api.asgi.straight import go_straight

        self._application = create_app(self._config)
        # Serve starts the server of this replica after this.
        go_straight(self._application, STRAIGHT_PATHS)
        return self._application

    def check_health(self) -> None:
        """Raise when the replica has to be replaced."""
        ended = self._application.state.exchange.ended_loops()
        if ended:
            raise RuntimeError(f"the gateway's loops have ended: {', '.join(ended)}")
