"""Actors found by name: what they are called, and their newest generation."""

import contextlib
from collections import defaultdict
from collections.abc import Mapping
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
    return all_generations(namespace).get(name, [])


def all_generations(namespace: str) -> dict[str, list[int]]:
    """Return the generations of every actor that Ray knows now, newest first, by name."""
    found: dict[str, list[int]] = defaultdict(list)
    for actor in ray.util.list_named_actors(all_namespaces=True):
        base, _, generation = actor["name"].partition("#")
        if actor["namespace"] == namespace and (generation or "0").isdecimal():
            found[base].append(int(generation or 0))
    return {name: sorted(known, reverse=True) for name, known in found.items()}


def find_actor(
    name: str, namespace: str, known: Mapping[str, list[int]] | None = None
) -> Handle[Any]:
    """Return the handle of an actor's newest generation. Raises ValueError where there is none.

    Who looks for many asks `all_generations` once, and gives what it answered as `known`.
    A pair that moves has two for a moment. Each is a fold of the same log, so it does no harm
    that a router still follows the older one.
    """
    known = all_generations(namespace) if known is None else known
    for generation in known.get(name, []):
        numbered = f"{name}#{generation}" if generation else name
        with contextlib.suppress(ValueError):
            return Handle(ray.get_actor(numbered, namespace=namespace))
    raise ValueError(f"there is no actor {name}")


def own_node_id() -> str:
    """Return Ray's name of the node that this process is on."""
    node: str = ray.get_runtime_context().get_node_id()
    return node
