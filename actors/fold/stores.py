"""Which store a platform keeps its snapshots in."""

from pathlib import Path

from actors.book.market import Market
from actors.fold.snapshots import FileSnapshotStore
from actors.fold.snapshots_postgres import Patience, PostgresSnapshotStore
from actors.platform.config import Platform


def snapshot_folder(platform: Platform) -> Path:
    """Return the folder of the first epoch's snapshots; later ones lie beside it."""
    return Path(platform.data_directory) / "snapshots"


def snapshot_store(
    platform: Platform, market: Market, patience: Patience | None = None
) -> FileSnapshotStore | PostgresSnapshotStore:
    """Return where the snapshots of a market are kept: in Postgres, or in the data folder.

    Stores of one process share their `patience` with a Postgres that is away.
    """
    kept, epoch = platform.limits.snapshots_kept, platform.epoch
    if platform.snapshots == "postgres":
        url = platform.servers.postgres_url
        return PostgresSnapshotStore(
            url, pair=market.pair, kept=kept, epoch=epoch, patience=patience
        )
    return FileSnapshotStore(snapshot_folder(platform), pair=market.pair, kept=kept, epoch=epoch)
