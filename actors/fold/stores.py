"""Which store a pair keeps its snapshots in."""

from pathlib import Path

from actors.book.market import Market
from actors.fold.snapshots import FileSnapshotStore
from actors.fold.snapshots_postgres import Patience, PostgresSnapshotStore
from actors.platform.config import SnapshotPlace


def snapshot_store(
    place: SnapshotPlace, market: Market, *, kept: int, patience: Patience | None = None
) -> FileSnapshotStore | PostgresSnapshotStore:
    """Return where the newest `kept` snapshots of a market are: in Postgres, or in a folder.

    Stores of one process share their `patience` with a Postgres that is away.
    """
    pair, epoch = market.pair, place.epoch
    if place.postgres_url:
        return PostgresSnapshotStore(
            place.postgres_url, pair=pair, kept=kept, epoch=epoch, patience=patience
        )
    return FileSnapshotStore(Path(place.folder), pair=pair, kept=kept, epoch=epoch)
