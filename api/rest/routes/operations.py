"""For those who run the platform: health, readiness, figures, halts."""

import hmac
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from actors.platform.errors import PairUnavailableError
from api.asgi.errors import ForbiddenError, UnauthorizedError, json_response
from api.rest import schemas
from api.rest.openapi import errors, later
from api.rest.routes.common import GatewayOf, MarketOf

router = APIRouter(tags=["operations"])
_BEARER = HTTPBearer(auto_error=False, description="The platform's operator token.")


def check_operator(
    gateway: GatewayOf,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
) -> None:
    """Let operators pass. Raises UnauthorizedError and ForbiddenError."""
    token = gateway.platform.operator_token
    if not token:
        raise ForbiddenError("NO_OPERATOR", "This platform was given no operator token.")
    given = credentials.credentials if credentials is not None else ""
    if not hmac.compare_digest(given.encode(), token.encode()):
        raise UnauthorizedError("UNAUTHORIZED", "An operator's bearer token is needed.")


@router.get("/health", summary="Is the gateway alive", response_model=schemas.Health)
async def health() -> Response:
    """Say that this process answers."""
    return json_response({"status": "ok"})


@router.get(
    "/ready",
    summary="Is everything ready",
    response_model=schemas.Readiness,
    responses={503: {"model": schemas.Readiness, "description": "Not ready, with the reasons."}},
)
async def ready(gateway: GatewayOf) -> Response:
    """Ask every server and actor that the gateway needs."""
    reasons = await gateway.readiness.reasons()
    content = {"status": "not ready" if reasons else "ready", "reasons": reasons}
    if reasons:
        return json_response(content, status=503, headers={"Retry-After": "1"})
    return json_response(content)


@router.get(
    "/metrics",
    summary="Figures for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}, "description": "Prometheus' text format."}},
)
async def metrics(gateway: GatewayOf) -> Response:
    """Return this replica's figures, and the pairs' as their routers report them."""
    gateway.metrics.waiting.set(len(gateway.waiters))
    gateway.metrics.pending.set(gateway.log.pending_commands)
    try:
        writer = await gateway.pairs.writer()
    except PairUnavailableError:
        writer = None
    return Response(
        gateway.metrics.exposition(gateway.watch.lags, writer=writer, hub=gateway.watch.hub),
        headers={"Content-Type": CONTENT_TYPE_LATEST},
    )


@router.post(
    "/markets/{pair}/halt",
    summary="Halt a market",
    response_model=schemas.MarketState,
    responses=later(schemas.MarketState) | errors(401, 403, 404, 503),
    dependencies=[Depends(check_operator)],
)
async def halt(gateway: GatewayOf, market: MarketOf) -> Response:
    """Take cancels only, from now on."""
    return await _set_halted(gateway, market, halted=True)


@router.post(
    "/markets/{pair}/resume",
    summary="Resume a market",
    response_model=schemas.MarketState,
    responses=later(schemas.MarketState) | errors(401, 403, 404, 503),
    dependencies=[Depends(check_operator)],
)
async def resume(gateway: GatewayOf, market: MarketOf) -> Response:
    """Take orders again."""
    return await _set_halted(gateway, market, halted=False)


@router.get(
    "/markets/{pair}/fingerprint",
    summary="Read the hash of a book",
    response_model=schemas.Fingerprint,
    responses=errors(401, 403, 404, 503),
    dependencies=[Depends(check_operator)],
)
async def fingerprint(gateway: GatewayOf, market: MarketOf) -> Response:
    """Say where the market stands in its log and what its whole state hashes to there."""
    return json_response(await gateway.market_data.fingerprint(market))


async def _set_halted(gateway: GatewayOf, market: MarketOf, *, halted: bool) -> Response:
    done = await gateway.changing.set_halted(market.market, halted=halted)
    status = "HALTED" if halted else "TRADING"
    content = {
        "message": f"The market is {status}" if done else "Logged; the market has not answered yet",
        "tradingPair": market.market.pair,
        "status": status if done else None,
    }
    return json_response(content, status=200 if done else 202)
