"""Background tasks are ended, also those that lose a cancel on the way."""

import asyncio

import pytest

from actors.platform.tasks import end


async def test_a_task_that_swallows_a_cancel_ends_all_the_same() -> None:
    swallowed = 0

    async def run() -> None:
        nonlocal swallowed
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if swallowed:
                    raise
                swallowed += 1

    task = asyncio.create_task(run())
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await end([task], again_s=0.001)
    assert (task.cancelled(), swallowed) == (True, 1)


async def test_what_a_task_ended_with_concerns_nobody_any_more() -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    tasks = [asyncio.create_task(fail()), asyncio.create_task(asyncio.sleep(60))]
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await end(tasks)
    assert tasks[1].cancelled()
    with pytest.raises(ZeroDivisionError):
        tasks[0].result()


async def test_nothing_to_end_is_nothing_to_wait_for() -> None:
    await end([])
