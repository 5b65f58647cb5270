"""Snapshots as files: one folder per pair, each file whole or refused."""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec
import structlog

from actors.fold.ports import StoredSnapshot
from actors.platform.errors import SnapshotRefusedError

_log = structlog.get_logger(__name__)
_MAGIC = b"FRKS0001"  # and the version, of what follows the digest
_DIGEST_BYTES = 32
_SUFFIX = ".snapshot"
# MessagePack's spelling of no bytes, and how it begins those of a length of 32 bits.
_NO_BYTES = b"\xc4\x00"
_BYTES_32 = b"\xc6"


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    pair: str
    next_offset: int
    commands: int
    last_price_ticks: int
    # The last, so that it can be written without a copy.
    state: bytes


def _version_1(body: memoryview) -> Envelope:
    return msgspec.msgpack.decode(body, type=Envelope)


Decoders = Mapping[bytes, Callable[[memoryview], Envelope]]
DECODERS: Decoders = {_MAGIC: _version_1}
"""Of each version's magic, what makes of the bytes after the digest the newest envelope."""


class FileSnapshotStore:
    """Keep the newest `kept` snapshots of one pair, and a later epoch's first.

    They lie under `directory`/`pair`, those of epoch N > 1 under `directory`-N/`pair`.

    A file is the magic, the SHA-256 of the rest, and a MessagePack envelope that names pair and
    offset. It is written beside its name, flushed to disk and renamed, so a crash leaves either
    the old files or the new one.
    """

    def __init__(self, directory: str | Path, *, pair: str, kept: int, epoch: int = 1) -> None:
        self._directory = epoch_folder(Path(directory), epoch) / pair
        self._pair = pair
        self._kept = kept
        self._epoch = epoch

    @property
    def begins_empty(self) -> bool:
        return self._epoch == 1

    def save(self, snapshot: StoredSnapshot) -> None:
        """Write a snapshot durably, then remove all but the newest. Raises OSError."""
        pieces = encode_snapshot(self._pair, snapshot)
        self._directory.mkdir(parents=True, exist_ok=True)
        path = self._directory / f"{snapshot.next_offset:020d}{_SUFFIX}"
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        with temporary.open("wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_directory(self._directory)
        old = self._files()[self._kept :]
        for path in [*(old if self.begins_empty else old[:-1]), *self._directory.glob("*.tmp")]:
            path.unlink(missing_ok=True)

    def load(self) -> Iterator[StoredSnapshot]:
        """Yield the sound snapshots, newest first; log and pass over the others."""
        for path in self._files():
            try:
                yield self._read(path)
            except (OSError, SnapshotRefusedError) as error:
                _log.warning("snapshot_refused", pair=self._pair, path=str(path), why=str(error))

    def offsets(self) -> list[int]:
        """Return the log offsets of all files, newest first, sound or not."""
        return [int(path.name.removesuffix(_SUFFIX)) for path in self._files()]

    def _files(self) -> list[Path]:
        return sorted(self._directory.glob(f"*{_SUFFIX}"), reverse=True)

    def _read(self, path: Path) -> StoredSnapshot:
        return decode_snapshot(self._pair, path.read_bytes())


def epoch_folder(directory: Path, epoch: int) -> Path:
    """Return the folder of an epoch's snapshots, given that of the first."""
    return directory if epoch == 1 else directory.with_name(f"{directory.name}-{epoch}")


def encode_snapshot(pair: str, snapshot: StoredSnapshot) -> list[bytes | memoryview]:
    """Return the pieces of a snapshot's image: the magic, the SHA-256 of the rest, the envelope.

    The last piece is the state itself: to copy it would stop all threads of the process.
    """
    envelope = Envelope(
        pair=pair,
        next_offset=snapshot.next_offset,
        commands=snapshot.commands,
        last_price_ticks=snapshot.last_price_ticks,
        state=b"",
    )
    head = msgspec.msgpack.encode(envelope).removesuffix(_NO_BYTES)
    head += _BYTES_32 + len(snapshot.state).to_bytes(4, "big")
    digest = hashlib.sha256(head)
    digest.update(snapshot.state)
    return [_MAGIC, digest.digest(), head, snapshot.state]


def decode_snapshot(pair: str, image: bytes, *, decoders: Decoders = DECODERS) -> StoredSnapshot:
    """Return what an image of this pair holds, of any version that `decoders` reads.

    Raises SnapshotRefusedError.
    """
    head = len(_MAGIC) + _DIGEST_BYTES
    body = memoryview(image)[head:]
    magic = image[: len(_MAGIC)]
    if magic not in decoders:
        known = ", ".join(sorted(each.decode() for each in decoders))
        raise SnapshotRefusedError(f"it begins with {magic!r}, this build reads {known}")
    if hashlib.sha256(body).digest() != image[len(_MAGIC) : head]:
        raise SnapshotRefusedError("its checksum does not match its content")
    try:
        envelope = decoders[magic](body)
    except msgspec.DecodeError as error:
        raise SnapshotRefusedError(f"its envelope cannot be read: {error}") from error
    if envelope.pair != pair:
        raise SnapshotRefusedError(f"it belongs to {envelope.pair}")
    return StoredSnapshot(
        next_offset=envelope.next_offset,
        commands=envelope.commands,
        last_price_ticks=envelope.last_price_ticks,
        state=envelope.state,
    )


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
