"""What becomes of a call to an actor: which errors count as one that is away, and which do not."""

import asyncio
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any, cast

import pytest
from ray.exceptions import RayActorError, RayTaskError

from actors.platform.errors import ActorUnavailableError, CandlesUnavailableError
from actors.remote import actor as remote
from actors.remote.actor import RemoteActor
from actors.remote.handle import Handle
from analytics.client import RemoteCandles
from analytics.ports import CandlesInterface

_Answers = Callable[[Callable[[], Any]], None]


@pytest.fixture
def submits(monkeypatch: pytest.MonkeyPatch) -> _Answers:
    """Let the actor that is found answer `ticker` with what a function returns or raises."""

    def set_up(answer: Callable[[], Any]) -> None:
        method = SimpleNamespace(remote=lambda *_: answer())
        found: Handle[Any] = Handle(SimpleNamespace(ticker=method))  # type: ignore[arg-type]
        monkeypatch.setattr(remote, "find_actor", lambda *_: found)

    return set_up


def _raises(error: Exception) -> Callable[[], Any]:
    def answer() -> Any:
        raise error

    return answer


def _fails(error: Exception) -> Callable[[], Coroutine[Any, Any, None]]:
    """Return an answer that Ray would give where the method raised this."""

    told: Exception = cast("Any", RayTaskError)("ticker", "", error).as_instanceof_cause()

    async def answer() -> None:
        raise told

    return answer


def _call(method: Callable[..., Any] = CandlesInterface.ticker) -> None:
    actor: RemoteActor[CandlesInterface] = RemoteActor(
        name="candles", namespace="a-test", timeout_s=5
    )
    asyncio.run(actor.call(method, "BTC-USD", 0))


@pytest.mark.parametrize("error", [RayActorError(), Exception("the handle is not valid")])
def test_an_actor_that_ray_has_lost_or_forgotten_is_away(
    submits: _Answers, error: Exception
) -> None:
    submits(_raises(error))
    with pytest.raises(ActorUnavailableError) as told:
        _call()
    assert told.value.retryable


def test_wrong_arguments_and_a_method_that_is_not_there_are_bugs(submits: _Answers) -> None:
    submits(_raises(TypeError("too many positional arguments")))
    with pytest.raises(TypeError, match="too many"):
        _call()
    with pytest.raises(AttributeError):
        _call(CandlesInterface.seconds)


def test_a_pair_that_the_candle_actor_has_not_been_told_of_is_away(submits: _Answers) -> None:
    submits(_fails(KeyError("ETH-USD")))
    candles = RemoteCandles(namespace="a-test")
    with pytest.raises(CandlesUnavailableError, match="ETH-USD") as told:
        asyncio.run(candles.ticker(pair="ETH-USD", now_s=0))
    assert told.value.retryable


def test_a_bug_of_the_candle_actor_stays_one(submits: _Answers) -> None:
    submits(_fails(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        asyncio.run(RemoteCandles(namespace="a-test").ticker(pair="ETH-USD", now_s=0))
