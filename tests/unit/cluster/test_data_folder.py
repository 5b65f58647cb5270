from pathlib import Path

import pytest

from cluster.data.state import DataFolder, RunState
from cluster.errors import AlreadyRunningError

_STATE = RunState(process_id=1, started_us=2, url="http://127.0.0.1:3001", postgres_url="secret")


def test_a_folder_is_held_once_and_free_after_its_release(tmp_path: Path) -> None:
    first, second = DataFolder(tmp_path / "data"), DataFolder(tmp_path / "data")
    assert not second.held()
    first.hold()
    assert second.held()
    with pytest.raises(AlreadyRunningError, match="is in use"):
        second.hold()
    first.release()
    assert not second.held()
    second.hold()
    second.release()


def test_the_state_is_private_and_read_back_whole(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    assert folder.read() is None
    folder.hold()
    folder.write(_STATE)
    assert folder.read() == _STATE
    assert (tmp_path / "state.json").stat().st_mode & 0o777 == 0o600
    folder.release()
    assert folder.read() is None


def test_a_torn_state_is_no_state(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text('{"process_id": ')
    assert DataFolder(tmp_path).read() is None


def test_who_holds_the_folder_is_named(tmp_path: Path) -> None:
    holder = DataFolder(tmp_path)
    holder.hold()
    holder.write(_STATE)
    with pytest.raises(AlreadyRunningError, match=r"by process 1 at http://127.0.0.1:3001"):
        DataFolder(tmp_path).hold()
    holder.release()


def test_what_a_killed_platform_left_in_the_temporary_folder_is_removed(tmp_path: Path) -> None:
    left = tmp_path / "forkast-left"
    left.mkdir()
    killed = DataFolder(tmp_path / "data")
    killed.path.mkdir()
    killed.write(RunState(process_id=1, started_us=2, url="", ray_directory=str(left)))
    killed.hold()
    assert not left.exists()
    killed.release()
