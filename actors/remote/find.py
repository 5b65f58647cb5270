"""Actors found by name: what they are called, and their newest generation."""

import contextlib
from typing import Any

import ray

from actors.remote.handle import Handle


def pair_actor_name(actor: str, generation: int = 0) -> str:
    """Name the detached actor of `topology.actor(pair)`.

    One that took another's place has the next generation.
    """
    return f"pair:{actor}#{generation}" if generation else f"pair:{actor}"


def is_pair_actor(name: str) -> bool:
    """Say whether an actor of this name carries pairs."""
    return name.startswith("pair:")


def generations(name: str, namespace: str) -> list[int]:
    """Return the generations of an actor that Ray knows now, newest first."""
    found = []
    for actor in ray.util.list_named_actors(all_namespaces=True):
        base, _, generation = actor["name"].partition("#")
        if actor["namespace"] == namespace and base == name:
            found.append(int(generation or 0))
    return sorted(found, reverse=True)


def find_actor(name: str, namespace: str) -> Handle[Any]:
    """Return the handle of an actor's newest generation. Raises ValueError where there is none.

    A pair that moves has two for a moment. Each is a fold of the same log, so it does no harm
    that a router still follows the older one.
    """
    for generation in generations(name, namespace):
        numbered = f"{name}#{generation}" if generation else name
        with contextlib.suppress(ValueError):
            return Handle(ray.get_actor(numbered, namespace=namespace))
    raise ValueError(f"there is no actor {name}")


def own_node_id() -> str:
    """Return Ray's name of the node that this process is on."""
    node: str = ray.get_runtime_context().get_node_id()
    return node
