"""Plan of each round, drawn from a seed: which process, what to it, when and how long."""

import random
from dataclasses import dataclass
from enum import StrEnum


class Target(StrEnum):
    """What may be hit; the values are the words of the report."""

    PAIR = "pair actor"
    ROUTER = "router"
    GATEWAY = "gateway"
    HUB = "hub"
    WRITER = "writer"
    CANDLES = "candles"
    CONTROLLER = "Serve controller"
    PROXY = "HAProxy"
    POSTGRES = "Postgres"
    VALKEY = "Valkey"
    KAFKA = "Kafka"
    LEADER = "Kafka leader"
    DISK = "disk"
    NODE = "Ray node"
    LINK = "link"
    STREAM = "stream"
    SOCKET_FILE = "socket file"
    PORT = "port"


class Action(StrEnum):
    """What may be done to a target."""

    KILL = "kill"
    RESTART = "restart"
    FREEZE = "freeze"
    STARVE = "starve"
    FILL = "fill"
    CUT = "cut"
    SLOW = "slow"
    TEAR = "tear"
    SILENCE = "silence"
    DELAY = "delay"
    STALE = "stale"
    TAKE = "take"


PROCESSES = (
    *(Target.PAIR, Target.ROUTER, Target.GATEWAY, Target.HUB, Target.WRITER, Target.CANDLES),
    *(Target.CONTROLLER, Target.PROXY, Target.POSTGRES, Target.VALKEY, Target.KAFKA),
)
# What lies between routers and pairs' actors.
STREAMS = (Target.STREAM, Target.SOCKET_FILE, Target.PORT)
# A kill shows most, so it comes most often.
_ACTIONS = (*(Action.KILL, Action.KILL, Action.KILL, Action.FREEZE, Action.RESTART, Action.STARVE),)
_SPREAD_S = 0.5
_LASTS_S = (0.2, 2.0)
# A node that is silent for some five seconds is dead to Ray; some are away for less.
_AWAY_S = (0.5, 12.0)
_OTHER_ACTIONS = {
    Target.NODE: (Action.KILL, Action.KILL, Action.FREEZE),
    Target.LINK: (Action.CUT, Action.SLOW),
    Target.STREAM: (
        *(Action.CUT, Action.CUT, Action.TEAR, Action.TEAR),
        *(Action.SILENCE, Action.DELAY, Action.DELAY),
    ),
    Target.SOCKET_FILE: (Action.STALE,),
    Target.PORT: (Action.TAKE,),
    Target.DISK: (Action.FILL,),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One fault: `after_s` from the round's begin, for `lasts_s` where it has a length.

    `pick` in [0, 1) chooses among several processes of the same kind, oldest first.
    """

    target: Target
    action: Action
    after_s: float
    lasts_s: float
    pick: float

    @property
    def kind(self) -> str:
        """Return the words of the report."""
        return f"{self.action} {self.target}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """The faults of every round, from a seed: one to `faults_max` of them, which may overlap."""

    seed: int
    targets: tuple[Target, ...]
    faults_max: int

    def round(self, number: int) -> list[Fault]:
        """Return the faults of a round."""
        dice = random.Random(f"{self.seed}:{number}")
        count = dice.randint(1, self.faults_max)
        return [self._fault(dice, count * _SPREAD_S) for _ in range(count)]

    @property
    def options(self) -> str:
        """Return the options of the command that draws the same faults."""
        only = "".join(f' --only "{target}"' for target in self.targets)
        return f"--seed {self.seed} --faults {self.faults_max}{only}"

    def _fault(self, dice: random.Random, within_s: float) -> Fault:
        target = dice.choice(self.targets)
        lasts_s = _AWAY_S if target in (Target.NODE, Target.LINK) else _LASTS_S
        return Fault(
            target=target,
            action=dice.choice(_OTHER_ACTIONS.get(target, _ACTIONS)),
            after_s=round(dice.uniform(0, within_s), 3),
            lasts_s=round(dice.uniform(*lasts_s), 3),
            pick=dice.random(),
        )
