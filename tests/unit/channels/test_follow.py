"""Following real files: lines as they come, files that come late, are replaced or cut short."""

import os
from pathlib import Path

import pytest
import trio

from tmuxorc.channels._follow import FileWatch, Tail


def append(path: Path, data: bytes) -> None:
    """As another program would."""
    with path.open("ab") as file:
        file.write(data)


def test_lines_as_they_come(tmp_path: Path) -> None:
    """The file may come late; half a line waits for its end."""
    path = tmp_path / "x"
    tail = Tail(str(path))
    assert tail.read() == []
    append(path, b"one\ntw")
    assert tail.read() == [b"one"]
    assert tail.read() == []
    append(path, b"o\nthree\n")
    assert tail.read() == [b"two", b"three"]
    assert str(path) in repr(tail)
    tail.close()


def test_a_replaced_file_is_read_to_its_end(tmp_path: Path) -> None:
    """Then the new one from its start; while there is none, nothing."""
    path = tmp_path / "x"
    append(path, b"one\n")
    tail = Tail(str(path))
    assert tail.read() == [b"one"]
    append(path, b"two\nhalf")
    path.rename(tmp_path / "y")
    assert tail.read() == [b"two"]
    assert tail.read() == []
    append(path, b"three\n")
    assert tail.read() == [b"three"]
    tail.close()


def test_a_file_cut_short_is_read_anew(tmp_path: Path) -> None:
    """It was begun again."""
    path = tmp_path / "x"
    append(path, b"one\ntwo\n")
    tail = Tail(str(path))
    assert tail.read() == [b"one", b"two"]
    os.truncate(path, 0)
    append(path, b"new\n")
    assert tail.read() == [b"new"]
    tail.close()


def test_a_long_file(tmp_path: Path) -> None:
    """A line may be longer than one read; on request only the last lines are read, once."""
    path = tmp_path / "x"
    append(path, b"x" * 3_000_000 + b"\nlast\n")
    tail = Tail(str(path))
    assert [len(line) for line in tail.read()] == [3_000_000, 4]
    tail.close()
    tail = Tail(str(path), last=10)
    assert tail.read() == [b"last"]
    tail.close()
    tail = Tail(str(path), last=5)
    assert tail.read() == [b"last"]
    tail.close()


async def test_a_change_wakes(tmp_path: Path) -> None:
    """A file made, one written to, one moved to its place."""
    path = tmp_path / "x"
    tail = Tail(str(path))
    with FileWatch() as watch, trio.fail_after(10):
        watch.add(str(path))
        append(path, b"one\n")
        await watch.wait()
        assert tail.read() == [b"one"]
        append(path, b"two\n")
        while not (lines := tail.read()):
            await watch.wait()
        assert lines == [b"two"]
        append(tmp_path / "y", b"three\n")
        (tmp_path / "y").rename(path)
        while not (lines := tail.read()):
            await watch.wait()
        assert lines == [b"three"]
    tail.close()


async def test_nothing_wakes_without_a_change(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    """It waits without looking."""
    with FileWatch() as watch:
        watch.add(str(tmp_path / "x"))
        with trio.move_on_after(1000) as waited:
            await watch.wait()
        assert waited.cancelled_caught


def test_a_folder_must_be_there(tmp_path: Path) -> None:
    """Or nothing could be watched."""
    with FileWatch() as watch, pytest.raises(FileNotFoundError):
        watch.add(str(tmp_path / "none" / "x"))
