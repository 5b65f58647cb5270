"""Where Ray Serve comes in: a router becomes a Serve application."""

from ray import serve
from ray.serve import Application

from actors.platform.config import RouterConfig
from actors.router.replica import RouterReplica


def router_app(config: RouterConfig) -> Application:
    """Return the order router of one shard of the pairs: one replica, without a route.

    Two routers of one shard only repeat each other, so a replica may be replaced at any time.
    """
    deployment = serve.deployment(
        name=f"router-{config.shard}",
        num_replicas=1,
        max_ongoing_requests=100,
        health_check_period_s=2.0,
        health_check_timeout_s=10.0,
        graceful_shutdown_wait_loop_s=0.1,
        graceful_shutdown_timeout_s=10.0,
        ray_actor_options={"num_cpus": 0.1},
    )
    return deployment(RouterReplica).bind(config)
