"""The listening socket: private, reclaimed from the dead, taken from nobody."""

import os
import socket
import stat
from pathlib import Path

import pytest
import trio

from tmuxorc.errors import ConflictError, TmuxOrcError, WireError
from tmuxorc.wire.server import open_listener


@pytest.fixture
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("w") / "socket"


def listen(path: Path, *, meanwhile: Path | None = None) -> int:
    """Listen for a moment, with something else put in the socket's place if asked; returns the socket's mode."""

    async def run() -> int:
        async with open_listener(str(path)):
            mode = os.stat(path).st_mode
            if meanwhile is not None:
                os.replace(meanwhile, path)
            return stat.S_IMODE(mode)

    return trio.run(run)


def test_the_socket_is_private_and_removed_at_the_end(path: Path) -> None:
    assert listen(path) == 0o600
    assert not path.exists()


def test_a_dead_socket_is_replaced(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    assert listen(path) == 0o600


def test_a_file_in_the_socket_s_place_is_left_alone(path: Path) -> None:
    path.write_text("precious")
    with pytest.raises(ConflictError, match="not a socket"):
        listen(path)
    assert path.read_text() == "precious"


def test_a_link_in_the_socket_s_place_is_left_alone(path: Path) -> None:
    path.symlink_to("/dev/null")
    with pytest.raises(TmuxOrcError, match="not a socket"):
        listen(path)
    assert path.is_symlink()


def test_what_somebody_else_put_there_meanwhile_is_not_removed(path: Path) -> None:
    other = path.with_name("other")
    other.write_text("another's")
    listen(path, meanwhile=other)
    assert path.read_text() == "another's"


@pytest.mark.parametrize("bad", ["/nonexistent/socket", "/tmp/" + "x" * 200])
def test_a_place_where_no_socket_can_be_is_a_clear_error(bad: str) -> None:
    with pytest.raises(WireError, match="cannot listen"):
        listen(Path(bad))
