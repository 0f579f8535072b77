"""The tmux layer's data: what a pane is asked to be, what one is, and what happens to it."""

import msgspec

from tmuxorc.model import Frozen
from tmuxorc.tmux._protocol import unescape


class PaneSpec(Frozen):
    """One program to run as a pane's own process.

    `argv` is exec'd directly, never by a shell, with `env` added and the variables in `unset` removed.  `cwd` is an
    absolute directory.  `options` are set on the pane as ``@tmuxorc_KEY`` before the program's first output.
    """

    name: str
    argv: tuple[str, ...]
    cwd: str
    env: dict[str, str] = {}
    unset: tuple[str, ...] = ()
    options: dict[str, str] = {}


class PaneInfo(Frozen):
    """A pane by its ids.  `pid` is the pane's own process; 0 if it is dead and tmux no longer says."""

    pane_id: str
    window_id: str
    pid: int


class FoundPane(PaneInfo):
    """A pane of our instance, with the `sessions` that show it (the hub not counted) and our `options` on it."""

    dead: bool
    sessions: tuple[str, ...]
    options: dict[str, str]


class PaneStatus(Frozen):
    """Whether the pane's program has exited, and how: `signal` as ``SIGKILL``, None if it exited or tmux cannot say."""

    dead: bool
    pid: int
    status: int | None = None
    signal: str | None = None


class Capture(Frozen):
    """A pane's screen: `history_lines` lines of scrollback, then one line a row; `cursor` is (column, row) from 0."""

    lines: tuple[str, ...]
    history_lines: int
    cursor: tuple[int, int]
    cursor_visible: bool
    columns: int
    rows: int
    title: str
    in_mode: bool
    alternate_on: bool
    dead: bool


class TeamSession(Frozen):
    """A session of ours: `attached` counts the people looking at it."""

    session_id: str
    name: str
    team: str
    windows: int
    attached: int


class PaneOutput(msgspec.Struct, frozen=True):
    """Bytes the program wrote."""

    pane_id: str
    raw: bytes

    @property
    def data(self) -> bytes:
        """What it wrote, unescaped on demand; sequences may be cut anywhere between two events."""
        return unescape(self.raw)


class PaneGap(msgspec.Struct, frozen=True):
    """Some of the program's output was skipped because we fell behind: read the screen again."""

    pane_id: str


class PaneModeChanged(msgspec.Struct, frozen=True):
    """The pane entered or left copy mode or another of tmux's modes."""

    pane_id: str


class PaneChanged(msgspec.Struct, frozen=True):
    """The pane's title, foreground command, mode or life, as tmux last told; at most once a second."""

    pane_id: str
    dead: bool
    in_mode: bool
    command: str
    title: str


class PaneUnlinked(msgspec.Struct, frozen=True):
    """A person took the pane's window out of its last team session; the program still runs, unseen."""

    pane_id: str


class PaneClosed(msgspec.Struct, frozen=True):
    """The pane exists no more."""

    pane_id: str


PaneEvent = PaneOutput | PaneGap | PaneModeChanged | PaneChanged | PaneUnlinked | PaneClosed


class SessionOpened(msgspec.Struct, frozen=True):
    """A team's session came to be."""

    session_id: str
    team: str


class SessionClosed(msgspec.Struct, frozen=True):
    """A team's session is gone."""

    session_id: str
    team: str


class ClientsChanged(msgspec.Struct, frozen=True):
    """A person attached, detached or went to another session or window."""


ServerEvent = SessionOpened | SessionClosed | ClientsChanged
