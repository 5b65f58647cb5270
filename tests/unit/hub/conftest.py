"""A room, and the clients that it has cut."""

import pytest

from api.hub.clients import Client
from api.hub.room import Room
from tests.unit.hub.followers import UNITS


@pytest.fixture
def cut() -> list[Client]:
    return []


@pytest.fixture
def room(cut: list[Client]) -> Room:
    def cut_and_remove(client: Client) -> None:
        cut.append(client)
        made.remove(client.sid)

    made = Room(UNITS, cut=cut_and_remove, drained=lambda: None)
    return made
