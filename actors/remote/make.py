"""Detached, named actors: how each of ours is made."""

from typing import Any, TypeVar

import ray

from actors.remote.handle import Handle

_A = TypeVar("_A")


def standing_actor(
    actor_class: type[_A], config: object, *, name: str, namespace: str, **options: Any
) -> Handle[_A]:
    """Return the handle of a named actor, making it of its class and config where there is none.

    One supervisor alone may call this: two creators would race for the name. The actor outlives
    its creator, is restarted for ever with this same config, and never runs a call twice. Its calls
    leave no record at Ray's head, also where a node's environment does not forbid it. Other
    `options` are Ray's.
    """
    try:
        return Handle(ray.get_actor(name, namespace=namespace))
    except ValueError:
        pass
    made: Any = (
        ray.remote(actor_class)
        .options(
            name=name,
            namespace=namespace,
            lifetime="detached",
            max_restarts=-1,
            max_task_retries=0,
            enable_task_events=False,
            **options,
        )
        .remote(config)
    )
    return Handle(made)
