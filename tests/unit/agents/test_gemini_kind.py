"""Gemini CLI's screens, as it painted them: the state, the composer, the title alone and the screen alone."""

import re
from pathlib import Path

import msgspec
import pytest

from tests.unit.agents.screens import label, read, recorded, state
from tmuxorc.agents import load_kinds
from tmuxorc.agents.evidence import ScreenSeen
from tmuxorc.agents.frame import find_box, find_dialog
from tmuxorc.delivery._look import Look
from tmuxorc.model import AgentState

GEMINI = load_kinds()["gemini"]
SCREENS = list(recorded("gemini"))

STATES = {
    "idle": AgentState.IDLE,
    "asked": AgentState.IDLE,
    "denied": AgentState.IDLE,
    "draft": AgentState.IDLE,
    "draft-collapsed": AgentState.IDLE,
    "draft-lines": AgentState.IDLE,
    "handed-over": AgentState.IDLE,
    "interrupted": AgentState.IDLE,
    "shell-mode": AgentState.IDLE,
    "slash-menu": AgentState.IDLE,
    "thinking": AgentState.BUSY,
    "busy": AgentState.BUSY,
    "queued": AgentState.BUSY,
    "retrying": AgentState.BUSY,
    "tool-running": AgentState.BUSY,
    "permission": AgentState.BLOCKED,
    "permission-long": AgentState.BLOCKED,
    "model-menu": AgentState.BLOCKED,
    "still-retrying": AgentState.BLOCKED,
}
DRAFTS = {
    "draft": "half a line",
    "draft-lines": "line one\n\n  line three\n",
    "draft-collapsed": "[Pasted Text: 42 lines]",
}
EMPTY = {name for name, found in STATES.items() if found is not AgentState.BLOCKED} - DRAFTS.keys()


def each(*names: str) -> pytest.MarkDecorator:
    """The recorded screens of these names, all without names."""
    paths = [path for path in SCREENS if not names or label(path) in names]
    return pytest.mark.parametrize("path", paths, ids=lambda path: path.stem)


@each()
def test_the_state_is_known(path: Path) -> None:
    """At every size, in 256 colours and in true colour."""
    assert state(GEMINI, read(path)).state is STATES[label(path)]


@each()
def test_the_state_is_known_without_the_title(path: Path) -> None:
    """A person may have it switched off."""
    screen = msgspec.structs.replace(read(path), title="Gemini CLI (project)")
    found = state(GEMINI, screen).state
    narrow = path.stem in ("40x15-busy", "40x15-thinking", "40x15-tool-running")  # the hint is cut off, or overwritten
    assert found is STATES[label(path)] or (narrow and found is AgentState.IDLE) or label(path) == "tool-running"


@each(*DRAFTS)
def test_a_draft_is_seen(path: Path) -> None:
    """With blank lines in it, and as what stands for a big paste."""
    box = find_box(GEMINI.composer, read(path))
    assert box is not None
    assert not box.empty
    assert [line.rstrip() for line in box.text.split("\n")] == DRAFTS[label(path)].split("\n")


@each(*(EMPTY - {"shell-mode", "slash-menu"}))
def test_a_placeholder_is_no_draft(path: Path) -> None:
    """By its colour, and by its words where the theme has another."""
    for coloured in (True, False):
        screen = read(path, coloured=coloured)
        box = find_box(GEMINI.composer, screen)
        assert box is not None
        assert box.empty
        assert Look(GEMINI, "hello").obstacle(screen) is None


@each("permission", "permission-long", "model-menu", "still-retrying", "shell-mode")
def test_nothing_is_typed_into_a_dialog_or_a_shell(path: Path) -> None:
    """The messages above look like a composer, but for the cursor."""
    screen = read(path)
    assert find_box(GEMINI.composer, screen) is None
    assert Look(GEMINI, "hello").obstacle(screen) is not None


@each("permission", "permission-long")
def test_a_permission_prompt_says_what_it_asks(path: Path) -> None:
    """And shows the line that shuts the gate."""
    screen = read(path)
    assert state(GEMINI, screen).detail == "Allow execution of [Shell]?"
    assert find_dialog(GEMINI, screen) is not None


def test_a_dialog_that_asks_whether_to_go_on_retrying() -> None:
    """Five minutes of retrying look like thinking; then it asks."""
    path = next(path for path in SCREENS if label(path) == "still-retrying")
    assert state(GEMINI, read(path)).detail.startswith("We are currently experiencing high")


def test_nothing_painted_is_starting() -> None:
    """It takes some seconds."""
    assert state(GEMINI, ScreenSeen(at=1, lines=("",) * 24)).state is AgentState.STARTING


@each("queued")
def test_a_queued_message_is_in_its_own_list(path: Path) -> None:
    """Above the composer."""
    assert any("Queued" in line for line in read(path).lines)


@pytest.mark.parametrize("text", ["/help", "  /help", "!ls", "?", "@README.md", " @x"])
def test_what_would_be_a_command_is_framed(text: str) -> None:
    """Blanks before it change nothing."""
    assert find(GEMINI.deliver.special_first, text)


@pytest.mark.parametrize("text", ["a \\", "look at @REA", "a\\ \n"])
def test_what_would_change_the_submit_key_is_framed(text: str) -> None:
    """A backslash breaks the line, a name is completed."""
    assert find(GEMINI.deliver.special_last, text)


def find(regex: str, text: str) -> bool:
    """Whether the pattern is found."""
    return re.search(regex, text) is not None
