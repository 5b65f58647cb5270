"""The actors that Serve makes for itself: its controller and the replicas of its deployments."""

from typing import Any

from actors.remote.handle import Handle

_NAMESPACE = "serve"
CONTROLLER = "SERVE_CONTROLLER_ACTOR"
_REPLICA = "SERVE_REPLICA::"


def _is_serve_actor(name: str) -> bool:
    """Say whether an actor of this name is one of Serve's."""
    return name == CONTROLLER or name.startswith(_REPLICA)


def serve_actors() -> dict[str, Handle[Any]]:
    """Return the handles of the controller and of all replicas; needs an initialised Ray.

    Without those that still wait for a place on some node: they are not silent but not there yet.
    """
    import ray

    found = {}
    for actor in ray.util.list_named_actors(all_namespaces=True):
        if actor["namespace"] == _NAMESPACE and _is_serve_actor(actor["name"]):
            try:
                handle = Handle[Any](ray.get_actor(actor["name"], namespace=_NAMESPACE))
            except ValueError:
                continue
            if _has_place(handle):
                found[actor["name"]] = handle
    return found


def has_started(handle: Handle[Any]) -> bool:
    """Say whether an actor's constructor has run, so that it ought to answer at once."""
    return bool(_known(handle)["State"] == "ALIVE")


def _has_place(handle: Handle[Any]) -> bool:
    """Say whether an actor has been given a process, in which its constructor may still run."""
    return bool(_known(handle)["Address"]["NodeID"].strip("f"))


def _known(handle: Handle[Any]) -> dict[str, Any]:
    """Return what Ray's head has on record of an actor."""
    from ray._private.state import actors

    # Public are only `ray.util.state`, which takes a dashboard, and the names alone.
    record: dict[str, Any] = actors(handle.actor_id)
    return record
