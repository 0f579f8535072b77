"""Handing the terminal over: which client, on which server, in which environment."""

import pytest

from tmuxorc.cli._attach import Attachment, attachment, client_environment, hand_over, is_inside
from tmuxorc.errors import TmuxError
from tmuxorc.wire.methods import AttachTarget

TARGET = AttachTarget(tmux="/usr/bin/tmux", tmux_socket="/tmp/tmux-0/tmuxorc", session="$1", window="@2")


def command(target: AttachTarget = TARGET, *, read_only: bool = False) -> list[str]:
    """The words after the socket."""
    return list(attachment(target, read_only=read_only).command[4:])


def test_outside_tmux_another_client_is_attached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    assert command() == ["attach-session", "-t", "$1:@2"]
    assert command(read_only=True) == ["attach-session", "-r", "-t", "$1:@2"]


def test_inside_another_server_it_nests(monkeypatch: pytest.MonkeyPatch) -> None:
    """tmux refuses to nest while $TMUX is there; on a server of ours that is what was asked for."""
    monkeypatch.setenv("TMUX", "/tmp/tmux-0/default,12,0")
    monkeypatch.setenv("TMUX_PANE", "%9")
    assert command()[0] == "attach-session"
    assert not {"TMUX", "TMUX_PANE"} & client_environment(TARGET).keys()


def test_inside_our_own_server_the_client_is_switched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMUX", "/tmp/tmux-0/tmuxorc,12,0")
    assert is_inside(TARGET)
    assert command() == ["switch-client", "-t", "$1:@2"]
    assert "TMUX" in client_environment(TARGET)


def test_a_tmux_that_cannot_be_run(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal:
        @staticmethod
        def isatty() -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal)
    monkeypatch.setattr("sys.stdout", Terminal)
    gone = Attachment(tmux="/no/tmux", tmux_socket="/t", session="$1", window=None, command=("/no/tmux",))
    with pytest.raises(TmuxError, match="cannot run /no/tmux"):
        hand_over(gone)
