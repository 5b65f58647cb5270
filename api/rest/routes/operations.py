"""Operations of those who run the platform: health, readiness, metrics, halts."""

import hmac
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from actors.platform.errors import ActorUnavailableError
from api.asgi.errors import HttpError, json_response
from api.json.answers import NOT_ANSWERED
from api.rest.answers import Fingerprint, Health, MarketState, MarketStatusWord, Readiness
from api.rest.metrics import PlatformMetrics
from api.rest.openapi import answer, errors, later
from api.rest.routes.common import ConfigOf, ExchangeOf, MarketOf, StrictRoute

router = APIRouter(tags=["operations"], route_class=StrictRoute)
_BEARER = HTTPBearer(auto_error=False, description="The platform's operator token.")


def check_operator(
    config: ConfigOf,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
) -> None:
    """Let operators pass. Raises HttpError."""
    token = config.operator_token
    if not token:
        raise HttpError(
            HTTPStatus.FORBIDDEN, "NO_OPERATOR", "This platform was given no operator token."
        )
    given = credentials.credentials if credentials is not None else ""
    if not hmac.compare_digest(given.encode(), token.encode()):
        raise HttpError(
            HTTPStatus.UNAUTHORIZED, "UNAUTHORIZED", "An operator's bearer token is needed."
        )


@router.get(
    "/health", summary="Is the gateway alive", response_model=None, responses=answer(Health)
)
async def health() -> Response:
    """Say that this process answers."""
    return json_response(Health(status="ok"))


@router.get(
    "/ready",
    summary="Is everything ready",
    response_model=None,
    responses=answer(Readiness)
    | answer(Readiness, status=503, description="Not ready, with the reasons."),
)
async def ready(exchange: ExchangeOf) -> Response:
    """Ask every server and actor that the gateway needs."""
    reasons = await exchange.readiness.reasons()
    content = Readiness(status="not ready" if reasons else "ready", reasons=reasons)
    if reasons:
        return json_response(content, status=503, headers={"Retry-After": "1"})
    return json_response(content)


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}, "description": "Prometheus' text format."}},
)
async def metrics(request: Request, exchange: ExchangeOf) -> Response:
    """Return this replica's metrics, and the pairs' as their routers report them."""
    shown: PlatformMetrics = request.app.state.metrics
    shown.waiting.set(len(exchange.waiters))
    shown.pending.set(exchange.log.pending_commands)
    try:
        writer = await exchange.pairs.writer()
    except ActorUnavailableError:
        writer = None
    return Response(
        shown.exposition(exchange.watch.lags, writer=writer, hub=exchange.watch.hub),
        headers={"Content-Type": CONTENT_TYPE_LATEST},
    )


@router.post(
    "/markets/{pair}/halt",
    summary="Halt a market",
    response_model=None,
    responses=answer(MarketState) | later(MarketState) | errors(400, 401, 403, 404, 415, 503, 504),
    dependencies=[Depends(check_operator)],
)
async def halt(exchange: ExchangeOf, market: MarketOf) -> Response:
    """Take cancels only, from now on."""
    return await _set_halted(exchange, market, halted=True)


@router.post(
    "/markets/{pair}/resume",
    summary="Resume a market",
    response_model=None,
    responses=answer(MarketState) | later(MarketState) | errors(400, 401, 403, 404, 415, 503, 504),
    dependencies=[Depends(check_operator)],
)
async def resume(exchange: ExchangeOf, market: MarketOf) -> Response:
    """Take orders again."""
    return await _set_halted(exchange, market, halted=False)


@router.get(
    "/markets/{pair}/fingerprint",
    summary="Read the hash of a book",
    response_model=None,
    responses=answer(Fingerprint) | errors(401, 403, 404, 503),
    dependencies=[Depends(check_operator)],
)
async def fingerprint(exchange: ExchangeOf, market: MarketOf) -> Response:
    """Say where the market stands in its log and what its whole state hashes to there."""
    found = await exchange.market_data.fingerprint(market.market)
    view = Fingerprint(
        trading_pair=market.market.pair,
        next_offset=found.next_offset,
        sequence=found.sequence,
        open_orders=found.open_orders,
        state_hash=str(found.state_hash),
    )
    return json_response(view)


async def _set_halted(exchange: ExchangeOf, market: MarketOf, *, halted: bool) -> Response:
    done = await exchange.changes.set_halted(market.market, halted=halted)
    status: MarketStatusWord = "HALTED" if halted else "TRADING"
    content = MarketState(
        message=f"The market is {status}" if done else NOT_ANSWERED,
        trading_pair=market.market.pair,
        status=status if done else None,
    )
    return json_response(content, status=200 if done else 202)
