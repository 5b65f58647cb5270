"""Where a process listens: whose folder, which file, which port."""

import socket
from pathlib import Path

import pytest

from actors.stream.endpoint import Listening, keep_alive, remove_stale, socket_folder


def _listen(folder: Path, ports: tuple[int, int] = (0, 0)) -> Listening:
    return Listening(node_id="a-node", host="127.0.0.1", ports=ports, folder=folder)


def _left_by_a_killed_process(folder: Path) -> Path:
    stale = folder / "0badc0de.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(stale))
    return stale


def test_the_folder_and_the_socket_are_their_users_alone(tmp_path: Path) -> None:
    folder = tmp_path / "streams"
    listening = _listen(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert Path(listening.endpoint.path).stat().st_mode & 0o777 == 0o600
    listening.close()
    assert not folder.exists()


def test_a_folder_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "streams"
    folder.mkdir(mode=0o755)
    with pytest.raises(PermissionError):
        _listen(folder)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    link = tmp_path / "link"
    link.symlink_to(elsewhere)
    with pytest.raises(OSError, match="link"):
        _listen(link)


def test_the_path_of_a_socket_is_short_enough_for_the_system() -> None:
    assert len(str(socket_folder() / "12345678.sock")) < 100


def test_a_start_removes_the_files_of_the_dead_and_of_nobody_else(tmp_path: Path) -> None:
    folder = tmp_path / "streams"
    living = _listen(folder)
    stale = _left_by_a_killed_process(folder)
    other = _listen(folder)
    assert not stale.exists()
    assert Path(living.endpoint.path).exists()
    assert living.endpoint.path != other.endpoint.path
    stale = _left_by_a_killed_process(folder)
    remove_stale(folder)
    assert not stale.exists()
    living.close()
    other.close()
    remove_stale(folder)
    assert not folder.exists()


def test_a_port_that_is_taken_is_passed_over(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        listening = _listen(tmp_path / "streams", (port, port + 1))
        assert listening.endpoint.port == port + 1
        listening.close()


def test_a_process_without_a_port_is_still_there_for_its_own_node(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        listening = _listen(tmp_path / "streams", (port, port))
    assert listening.endpoint.port == 0
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(listening.endpoint.path)
    listening.close()


def test_a_machine_that_is_gone_is_noticed_within_seconds() -> None:
    with socket.socket() as connected:
        keep_alive(connected)
        assert connected.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 10_000
        idle_s = connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
        assert idle_s <= 5
