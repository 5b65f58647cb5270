"""What the sketch's processes share: messages with a length before them, and signs of readiness."""

import asyncio
import struct
from pathlib import Path

_LENGTH = struct.Struct("<I")
COMMAND_BYTES = 128
EVENT_BYTES = 208
ORDER_ID = struct.Struct("<q")


async def read_message(reader: asyncio.StreamReader) -> bytes:
    """Return the next message. Raises asyncio.IncompleteReadError at the end of the stream."""
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    return await reader.readexactly(length)


def write_message(writer: asyncio.StreamWriter, message: bytes) -> None:
    """Put a message on its way."""
    writer.write(_LENGTH.pack(len(message)) + message)


def ready_file(folder: Path, name: str) -> Path:
    """Return the file that a process makes once it is ready."""
    return folder / f"{name}.ready"
