"""Users."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.asgi.errors import json_response
from api.exchange.refusals import unknown_user
from api.json import requests
from api.rest.answers import User, user_view
from api.rest.openapi import answer, body, errors
from api.rest.routes.common import ExchangeOf, StrictRoute, body_of

router = APIRouter(tags=["users"], route_class=StrictRoute)


@router.post(
    "/users",
    summary="Make a user",
    status_code=201,
    response_model=None,
    responses=answer(User, status=201) | errors(400, 403, 413, 415, 503),
    openapi_extra=body(requests.CreateUser, required=False),
)
async def create_user(request: Request, exchange: ExchangeOf) -> Response:
    """Make a user, with a name or without."""
    sent = await body_of(request)
    name = requests.decode(requests.CREATE_USER, sent).name if sent else None
    user = await exchange.users.create(requests.parse_user_name(name))
    return json_response(user_view(user), status=201)


@router.get(
    "/users/{id}",
    summary="Read a user",
    response_model=None,
    responses=answer(User) | errors(400, 404, 503),
)
async def get_user(exchange: ExchangeOf, id: str) -> Response:
    """Read a user."""
    user = await exchange.users.get(requests.parse_user_id(id))
    if user is None:
        raise unknown_user()
    return json_response(user_view(user))
