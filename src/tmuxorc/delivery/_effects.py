"""What a delivery asks of the world, one effect at a time, and what it is answered."""

from tmuxorc.agents.evidence import ScreenSeen
from tmuxorc.model import Frozen, Rung


class Gate(Frozen):
    """What must hold at the moment of the keys; tmux itself checks it in the same batch.

    Beside this the pane must be alive and in no mode.  `shows` and `hides` are patterns (extended POSIX): some line of
    the visible screen must match each of the former, none any of the latter.  The cursor must stand at `cursor`
    (column, row), `foreground` be the pane's current command, and `marker` its delivery marker, empty if it has none.
    """

    marker: str
    shows: tuple[str, ...] = ()
    hides: tuple[str, ...] = ()
    cursor: tuple[int, int] | None = None
    foreground: str = ""


class Effect(Frozen):
    """Base of all effects; the answer is None where nothing else is said."""


class ReadScreen(Effect):
    """Read the screen at its next change, at the latest after `within_s` (0: now; None: whenever that is).

    A change is output, or the beginning or end of a mode, since the last time the screen was read for this delivery.
    Answered with a `ScreenSeen`.
    """

    within_s: float | None = 0.0


class Paste(Effect):
    """If `gate` holds, paste `data` (bracketed if the program asked for it) and set `marker`.

    Answered with whether it did.
    """

    data: bytes
    gate: Gate
    marker: str


class Press(Effect):
    """If `gate` holds, press `key` and set `marker`: answered with whether it did."""

    key: str
    gate: Gate
    marker: str


class Wait(Effect):
    """Let `seconds` pass."""

    seconds: float


class Advance(Effect):
    """Journal the message's new rung; the write must be safe before this is answered."""

    rung: Rung
    evidence: str
    detail: str = ""


class Hold(Effect):
    """The delivery stands still for `reason`: journal it as the message's detail, with `rung` (unchanged or `held`)."""

    rung: Rung
    reason: str


class Done(Effect):
    """The delivery is over, with the message on `rung`; nothing is to be answered."""

    rung: Rung


Result = ScreenSeen | bool | None
