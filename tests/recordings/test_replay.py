"""Every recording of a real program, played through a real tmux into the whole detector.

At each marker the state is right, or unknown; a prompt, a dialog and a busy screen are never taken for idle.
"""

from pathlib import Path

import pytest

from tests.recordings import cast as casts
from tests.recordings.matrix import PAGE, markdown, tally, with_matrix
from tests.recordings.played import KINDS, PATHS, PLAYED, name_of, play
from tests.recordings.replay import Seen
from tests.support import Home, TmuxServer
from tmuxorc.model import AgentState


def problem(number: int, seen: Seen) -> str:
    """What is wrong at a marker, or nothing."""
    told = seen.state
    if not seen.mark.allows(told.state) and told.state is not AgentState.UNKNOWN:
        return f"marker {number}, {seen.mark}: told {told.state.value} {told.detail!r} by {told.rule}"
    if told.state is seen.mark.state and seen.mark.detail not in seen.detail:
        return f"marker {number}, {seen.mark}: told the detail {seen.detail!r} by {told.rule}"
    return ""


@pytest.mark.parametrize("path", PATHS, ids=name_of)
async def test_the_state_is_right_or_unknown_at_every_marker(path: Path, tmux_server: TmuxServer) -> None:
    cast, found = await play(path, tmux_server)
    assert len(found) == len(cast.marks) > 0
    assert [wrong for number, seen in enumerate(found) if (wrong := problem(number, seen))] == []


def test_the_page_shows_these_numbers(home: Home) -> None:
    """``python -m tests.recordings.matrix --write`` mends it."""
    page = PAGE.read_text(encoding="utf-8")
    tallies = tally(KINDS, casts.paths(), home.root / "tmux.sock", PLAYED)
    assert page == with_matrix(page, markdown(tallies))


def test_the_recordings_are_small() -> None:
    """All of them together, and each."""
    sizes = [path.stat().st_size for path in casts.paths()]
    assert max(sizes) < 150_000
    assert sum(sizes) < 6_000_000
