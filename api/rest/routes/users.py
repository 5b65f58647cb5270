"""Users."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.asgi.errors import json_response
from api.exchange.intake import unknown_user
from api.exchange.storage.records import StoredUser
from api.rest import requests, schemas
from api.rest.openapi import body, errors
from api.rest.routes.common import GatewayOf, body_of
from api.rest.views import timestamp

router = APIRouter(tags=["users"])


@router.post(
    "/users",
    summary="Make a user",
    status_code=201,
    response_model=schemas.User,
    responses=errors(400, 413, 503),
    openapi_extra=body(schemas.CreateUser, required=False),
)
async def create_user(request: Request, gateway: GatewayOf) -> Response:
    """Make a user, with a name or without."""
    sent = await body_of(request)
    name = requests.decode(requests.CREATE_USER, sent).name if sent else None
    return json_response(
        _view(await gateway.users.create(requests.parse_user_name(name))), status=201
    )


@router.get(
    "/users/{id}",
    summary="Read a user",
    response_model=schemas.User,
    responses=errors(400, 404, 503),
)
async def get_user(gateway: GatewayOf, id: str) -> Response:
    """Read a user."""
    user = await gateway.users.get(requests.parse_user_id(id))
    if user is None:
        raise unknown_user()
    return json_response(_view(user))


def _view(user: StoredUser) -> dict[str, Any]:
    return {"id": user.user_id, "name": user.name, "createdAt": timestamp(user.created_us)}
