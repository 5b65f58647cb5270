"""What placing one order and placing many have in common."""

from dataclasses import dataclass

from api.asgi.errors import NotFoundError
from api.exchange.drafts import Drafting
from api.exchange.ids import IdGenerator
from api.exchange.recent import RecentOrders
from api.exchange.sending import Sender
from api.exchange.settling import Settling
from api.exchange.storage.users import UsersRepository
from api.exchange.waiting import OutcomeWaiters
from api.exchange.watch import MarketWatch

# An order with a client order id is answered when the book has answered.
CLIENT_ID_WAIT_S = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderIntake:
    """The steps of an order's way in: judge, check, number, send, settle."""

    drafting: Drafting
    users: UsersRepository
    watch: MarketWatch
    ids: IdGenerator
    sender: Sender
    waiters: OutcomeWaiters
    recent: RecentOrders
    settling: Settling


def unknown_user() -> NotFoundError:
    """Return the refusal of a user that does not exist."""
    return NotFoundError("UNKNOWN_USER", "There is no user with this id.")
