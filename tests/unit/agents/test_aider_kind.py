"""aider's screens, as it painted them: its prompt is where the cursor is, and the cursor is hidden while it works."""

from pathlib import Path

import msgspec
import pytest

from tests.unit.agents.screens import label, read, recorded, state
from tmuxorc.agents import load_kinds
from tmuxorc.agents.frame import find_box
from tmuxorc.delivery._look import Look
from tmuxorc.model import AgentState

AIDER = load_kinds()["aider"]
SCREENS = list(recorded("aider"))

STATES = {
    "starting": AgentState.STARTING,
    "permission": AgentState.BLOCKED,
    "busy": AgentState.BUSY,
    "waiting": AgentState.BUSY,
    "tool-running": AgentState.BUSY,
    "retrying": AgentState.LIMITED,
    "retrying-waits": AgentState.BUSY,
}
DRAFTS = ("draft", "draft-lines", "draft-long", "draft-higher", "slash-menu")


def each(*names: str) -> pytest.MarkDecorator:
    """The recorded screens of these names, all without names."""
    paths = [path for path in SCREENS if not names or label(path) in names]
    return pytest.mark.parametrize("path", paths, ids=lambda path: path.stem)


@each()
def test_the_state_is_known(path: Path) -> None:
    """At every size; whatever stands at its prompt is idle."""
    assert state(AIDER, read(path)).state is STATES.get(label(path), AgentState.IDLE)


@each()
def test_only_its_prompt_takes_text(path: Path) -> None:
    """Empty, or with a draft."""
    screen = read(path)
    box = find_box(AIDER.composer, screen)
    assert (box is not None) is (label(path) not in STATES)
    assert box is None or box.empty is (label(path) not in DRAFTS)


@each()
def test_a_hidden_cursor_means_work(path: Path) -> None:
    """Its prompt stays painted."""
    screen = msgspec.structs.replace(read(path), cursor_visible=False)
    assert state(AIDER, screen).state in (AgentState.BUSY, AgentState.LIMITED)
    assert find_box(AIDER.composer, screen) is None


@each("draft-higher")
def test_a_text_that_is_higher_than_the_screen_is_known(path: Path) -> None:
    """By the part that shows."""
    box = find_box(AIDER.composer, read(path))
    assert box is not None
    assert box.top == 0
    assert Look(AIDER, "x" * 60 + "\n" + "line\n" * 60).holds_ours(box)
    assert not Look(AIDER, "another text").holds_ours(box)


@each("denied", "tool-done", "interrupted", "gave-up")
def test_an_answered_question_is_over(path: Path) -> None:
    """Though it stays on the screen."""
    assert Look(AIDER, "hello").obstacle(read(path)) is None


@each("permission")
def test_a_question_says_what_it_asks(path: Path) -> None:
    """At every width."""
    assert state(AIDER, read(path)).detail == "Run shell command?"


def test_a_tab_is_known_as_it_shows() -> None:
    """As a caret and a letter, which the text may hold as well."""
    screen = read(next(path for path in SCREENS if path.stem == "80x24-draft"))
    shown = tuple(line.replace("half a line", "one^Itwo ^I") for line in screen.lines)
    box = find_box(AIDER.composer, msgspec.structs.replace(screen, lines=shown, solid=()))
    assert box is not None
    assert Look(AIDER, "one\ttwo ^I").holds_ours(box)
    assert not Look(AIDER, "one\tthree").holds_ours(box)
