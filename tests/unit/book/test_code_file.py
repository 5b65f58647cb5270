"""The file with the kernel's machine code: made once, read by all, and made anew when in doubt."""

from pathlib import Path

import pytest

from actors.book.kernel.code_file import kept_code

KEY, CODE = b"this processor, this kernel", bytes(range(256)) * 8


class Compiler:
    """What makes code of a kind and counts how often."""

    def __init__(self, code: bytes = CODE) -> None:
        self.code = code
        self.runs = 0

    def __call__(self) -> bytes:
        self.runs += 1
        return self.code


def _only_file(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


def test_code_is_made_once_and_read_afterwards(tmp_path: Path) -> None:
    compiler = Compiler()
    assert [kept_code(KEY, [tmp_path], compiler) for _ in range(3)] == [CODE] * 3
    assert compiler.runs == 1
    _only_file(tmp_path)


def test_each_kind_of_processor_has_a_file_of_its_own_in_a_shared_folder(tmp_path: Path) -> None:
    kept_code(KEY, [tmp_path], Compiler())
    assert kept_code(b"another processor", [tmp_path], Compiler(b"other")) == b"other"
    assert kept_code(KEY, [tmp_path], Compiler(b"never made")) == CODE
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("at", [0, 31, 32, 1_000])
def test_a_file_with_a_byte_that_changed_is_made_anew(tmp_path: Path, at: int) -> None:
    kept_code(KEY, [tmp_path], Compiler())
    path = _only_file(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    compiler = Compiler()
    assert kept_code(KEY, [tmp_path], compiler) == CODE
    assert compiler.runs == 1
    assert path.read_bytes() == whole


@pytest.mark.parametrize("length", [0, 31, 32, 1_000])
def test_a_torn_file_is_made_anew(tmp_path: Path, length: int) -> None:
    kept_code(KEY, [tmp_path], Compiler())
    path = _only_file(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[:length])
    assert kept_code(KEY, [tmp_path], Compiler()) == CODE
    assert path.read_bytes() == whole


def test_a_whole_file_of_something_else_under_this_name_is_made_anew(tmp_path: Path) -> None:
    kept_code(KEY, [tmp_path / "here"], Compiler())
    kept_code(b"another processor", [tmp_path / "there"], Compiler(b"other"))
    path = _only_file(tmp_path / "here")
    path.write_bytes(_only_file(tmp_path / "there").read_bytes())
    assert kept_code(KEY, [tmp_path / "here"], Compiler()) == CODE


def test_code_goes_into_the_next_folder_where_the_first_takes_none(tmp_path: Path) -> None:
    no_folder = tmp_path / "file"
    no_folder.write_text("")
    folders = [no_folder, tmp_path / "user" / "kernel"]
    compiler = Compiler()
    assert [kept_code(KEY, folders, compiler) for _ in range(2)] == [CODE] * 2
    assert compiler.runs == 1


def test_a_process_without_any_folder_makes_its_own_code(tmp_path: Path) -> None:
    no_folder = tmp_path / "file"
    no_folder.write_text("")
    compiler = Compiler()
    assert [kept_code(KEY, [no_folder], compiler) for _ in range(2)] == [CODE] * 2
    assert compiler.runs == 2


def test_what_cannot_be_given_its_name_leaves_nothing_behind(tmp_path: Path) -> None:
    kept_code(KEY, [tmp_path / "elsewhere"], Compiler())
    taken = tmp_path / "here" / _only_file(tmp_path / "elsewhere").name
    taken.mkdir(parents=True)
    assert kept_code(KEY, [taken.parent], Compiler()) == CODE
    assert list(taken.parent.iterdir()) == [taken]
