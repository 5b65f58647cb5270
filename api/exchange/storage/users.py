"""Users, and the quick answer to whether one exists."""

from actors.book.market import INT64_MAX
from api.exchange.storage.database import Database
from api.exchange.values import User

KNOWN_USERS_MAX = 100_000

_COLUMNS = "user_id, name, (extract(epoch FROM created_at) * 1000000)::bigint AS created_us"


class UsersRepository:
    """The table `users`. Everything may raise StorageUnavailableError."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[int, None] = {}

    async def create(self, name: str | None) -> User:
        """Add a user and return it with its id."""
        rows = await self._database.fetch(
            f"INSERT INTO users (name) VALUES ($1) RETURNING {_COLUMNS}",  # noqa: S608
            name,
        )
        user = User(**rows[0])
        self._remember(user.user_id)
        return user

    async def get(self, user_id: int) -> User | None:
        """Return a user, None where there is none."""
        if abs(user_id) > INT64_MAX:
            return None
        row = await self._database.fetch_one(
            f"SELECT {_COLUMNS} FROM users WHERE user_id = $1",  # noqa: S608
            user_id,
        )
        return None if row is None else User(**row)

    async def exists(self, user_id: int) -> bool:
        """Say whether there is such a user; those found once are remembered, none is deleted."""
        if user_id in self._known:
            return True
        if await self.get(user_id) is None:
            return False
        self._remember(user_id)
        return True

    def _remember(self, user_id: int) -> None:
        if len(self._known) >= KNOWN_USERS_MAX:
            del self._known[next(iter(self._known))]
        self._known[user_id] = None
