"""Where Ray Serve comes in: gateway and hub become Serve applications."""

from ray import serve
from ray.serve import Application

from actors.platform.config import GatewayConfig, HubConfig
from api.hub.replica import HubReplica
from api.replica import GatewayReplica


def gateway_app(config: GatewayConfig, *, replicas: int) -> Application:
    """Return the REST gateway: so many replicas, each with connections of its own."""
    deployment = serve.deployment(
        name="gateway",
        num_replicas=replicas,
        max_ongoing_requests=1_000,
        health_check_period_s=2.0,
        health_check_timeout_s=10.0,
        graceful_shutdown_wait_loop_s=0.5,
        graceful_shutdown_timeout_s=10.0,
        ray_actor_options={"num_cpus": 0.1},
        # A line per request would be a seventh of a request's cost; `/metrics` counts them.
        logging_config={"enable_access_log": False, "log_level": "WARNING"},
    )
    return deployment(serve.ingress()(GatewayReplica)).bind(config)


def hub_app(config: HubConfig) -> Application:
    """Return the realtime hub, to be mounted at `/socket.io`: exactly one replica.

    All requests of a long-polling session must reach the process that holds it, and no balancer
    before Serve is asked to see to that. Every open connection counts as a request under way.
    """
    deployment = serve.deployment(
        name="hub",
        num_replicas=1,
        max_ongoing_requests=10_000,
        health_check_period_s=2.0,
        health_check_timeout_s=10.0,
        graceful_shutdown_wait_loop_s=0.1,
        graceful_shutdown_timeout_s=5.0,
        ray_actor_options={"num_cpus": 0.1},
    )
    return deployment(serve.ingress()(HubReplica)).bind(config)
