"""The Serve applications of a platform: gateway, hub and routers, deployed together."""

import logging

from ray import serve
from ray.serve.config import HTTPOptions, ProxyLocation

from actors.router.builder import router_app
from api.builder import gateway_app, hub_app
from cluster.errors import DeployError
from cluster.plan import Platform


def start_serve(host: str, port: int) -> None:
    """Start Serve's controller and its proxy at an address; call on Ray's thread.

    Raises DeployError, as where a port was taken meanwhile.
    """
    logging.getLogger("ray.serve").setLevel(logging.ERROR)
    try:
        serve.start(
            proxy_location=ProxyLocation.HeadOnly,
            http_options=HTTPOptions(host=host, port=port, keep_alive_timeout_s=75),
        )
    except Exception as error:  # Serve raises whatever its controller or its proxy raised
        raise DeployError(f"Serve did not start at {host}:{port}: {error}") from error


def deploy(platform: Platform, router_shards: int) -> None:
    """Deploy all applications and wait until they run. Raises DeployError."""
    targets = [
        serve.RunTarget(hub_app(platform.hub), name="hub", route_prefix="/socket.io"),
        serve.RunTarget(
            gateway_app(platform.gateway, replicas=platform.gateway_replicas),
            name="gateway",
            route_prefix="/",
        ),
        *(
            serve.RunTarget(
                router_app(platform.router(shard=shard, shards=router_shards)),
                name=f"router-{shard}",
                route_prefix=None,
            )
            for shard in range(router_shards)
        ),
    ]
    try:
        serve.run_many(targets)
    except Exception as error:  # Serve raises RuntimeError and whatever a constructor raised
        raise DeployError(f"Serve did not bring up gateway, hub and router: {error}") from error


def undeploy() -> None:
    """Stop Serve, letting requests in flight end."""
    serve.shutdown()  # type: ignore[no-untyped-call]
