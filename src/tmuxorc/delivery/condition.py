"""A gate as the condition that tmux itself evaluates in the same breath as the keys."""

from collections.abc import Iterator

from tmuxorc.delivery._effects import Gate
from tmuxorc.tmux import ALIVE, NOT_IN_MODE, equals, every, negate, option_is, screen_matches

MARKER_OPTION = "delivery"
"""The pane option (without its prefix) that holds the marker."""


def condition(gate: Gate, *, marked: bool = True) -> str:
    """The tmux format that is true while `gate` holds; unless `marked` the pane may carry any delivery's marker."""
    return every(_parts(gate, marked=marked))


def _parts(gate: Gate, *, marked: bool) -> Iterator[str]:
    yield ALIVE
    yield NOT_IN_MODE
    if marked:
        yield option_is(MARKER_OPTION, gate.marker)
    if gate.cursor is not None:
        yield equals("#{cursor_x}", str(gate.cursor[0]))
        yield equals("#{cursor_y}", str(gate.cursor[1]))
    if gate.foreground:
        yield equals("#{pane_current_command}", gate.foreground)
    yield from map(screen_matches, gate.shows)
    yield from (negate(screen_matches(regex)) for regex in gate.hides)
