"""Pair process of the sketch: a range of commands in, as many events out."""

import asyncio
import sys
from pathlib import Path

from cluster.tools.bench.sketch.wire import (
    COMMAND_BYTES,
    EVENT_BYTES,
    read_message,
    ready_file,
    write_message,
)


async def _serve(folder: Path, number: str) -> None:
    server = await asyncio.start_unix_server(_answer, folder / f"pair-{number}")
    ready_file(folder, f"pair-{number}").touch()
    await server.serve_forever()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        commands = await read_message(reader)
        events = b"".join(
            commands[start : start + COMMAND_BYTES].ljust(EVENT_BYTES, b"\0")
            for start in range(0, len(commands), COMMAND_BYTES)
        )
        write_message(writer, events)


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), sys.argv[2]))
