"""Qwen Code's screens, as it painted them: by title, by screen; its composer, its prompts, its framing."""

import re
from pathlib import Path

import msgspec
import pytest

from tests.unit.agents.screens import label, read, recorded, state
from tmuxorc.agents import Detector, load_kinds
from tmuxorc.agents.evidence import ChannelSaid, ProcessStarted, ScreenSeen, TitleSeen
from tmuxorc.agents.frame import find_box, find_dialog
from tmuxorc.agents.prompts import answer_keys, read_prompt
from tmuxorc.delivery._look import Look
from tmuxorc.model import AgentState

QWEN = load_kinds()["qwen"]
SCREENS = list(recorded("qwen"))

STATES = {
    "empty": AgentState.IDLE,
    "idle": AgentState.IDLE,
    "suggestion": AgentState.IDLE,
    "denied": AgentState.IDLE,
    "interrupted": AgentState.IDLE,
    "restored": AgentState.IDLE,
    "draft": AgentState.IDLE,
    "draft-lines": AgentState.IDLE,
    "draft-paste": AgentState.IDLE,
    "menu": AgentState.IDLE,
    "busy": AgentState.BUSY,
    "thinking": AgentState.BUSY,
    "tool": AgentState.BUSY,
    "queued": AgentState.BUSY,
    "retrying": AgentState.BUSY,
    "permission": AgentState.BLOCKED,
    "permission-long": AgentState.BLOCKED,
}
DRAFTS = {
    "draft": "hello",
    "draft-lines": "one\ntwo\nthree",
    "draft-paste": "[Pasted Content 780 chars]",
    "interrupted": "later one\n\nlater two",
    "restored": "FAIL429 b",
    "menu": "/",
}
PROMPTS = ("permission", "permission-long")


def each(*names: str) -> pytest.MarkDecorator:
    """The recorded screens of these names."""
    paths = [path for path in SCREENS if label(path) in names]
    return pytest.mark.parametrize("path", paths, ids=lambda path: path.stem)


@each(*STATES)
def test_the_state_is_known(path: Path) -> None:
    """At every size."""
    assert state(QWEN, read(path)).state is STATES[label(path)]


@each(*STATES)
def test_the_state_is_known_without_the_title(path: Path) -> None:
    """A person may have it switched off."""
    screen = msgspec.structs.replace(read(path), title="host")
    assert state(QWEN, screen).state is STATES[label(path)]


@each(*DRAFTS)
def test_a_draft_is_seen(path: Path) -> None:
    """What Escape has put back into the composer is one too."""
    box = find_box(QWEN.composer, read(path))
    assert box is not None
    assert not box.empty
    assert box.text.rstrip(" \u200b") == DRAFTS[label(path)]


@each("empty", "idle", "denied", "suggestion", "busy", "thinking", "tool", "queued", "retrying")
def test_a_placeholder_and_a_suggestion_are_no_drafts(path: Path) -> None:
    """Though the cursor is painted over the suggestion's first character."""
    box = find_box(QWEN.composer, read(path))
    assert box is not None
    assert box.empty


@each("suggestion")
def test_a_suggestion_that_was_begun_is_a_draft(path: Path) -> None:
    """The cursor has left its place."""
    screen = read(path)
    box = find_box(QWEN.composer, msgspec.structs.replace(screen, cursor=(screen.cursor[0] + 1, screen.cursor[1])))
    assert box is not None
    assert not box.empty


@each(*PROMPTS)
def test_a_prompt_takes_the_composers_place(path: Path) -> None:
    """And its first option shuts the gate."""
    screen = read(path)
    assert find_box(QWEN.composer, screen) is None
    assert find_dialog(QWEN, screen) is not None
    assert Look(QWEN, "hello").obstacle(screen) is not None
    scrolled = path.stem == "40x15-permission-long"
    assert state(QWEN, screen).detail.startswith("" if scrolled else "Shell ")


@each(*PROMPTS)
def test_a_prompt_is_read(path: Path) -> None:
    """Also where a bar stands at the right edge."""
    prompt = read_prompt(QWEN, read(path))
    assert prompt is not None
    assert [option.key for option in prompt.options] == ["1", "2", "3", "4"]
    assert prompt.command.startswith(("python3 -c", "echo one two three"))
    assert (answer_keys(QWEN, prompt, prompt.approve), answer_keys(QWEN, prompt, prompt.deny)) == (("1",), ("Escape",))


def test_a_box_with_a_choice_waits_for_an_answer() -> None:
    """Without a key it asks for one, and its title is that of an idle program."""
    lines = ("  │ Connect a Provider     │", "  │                        │", "  │ › Alibaba ModelStudio  │")
    found = state(QWEN, ScreenSeen(at=1, lines=lines, title="Qwen - project"))
    assert (found.state, found.detail) == (AgentState.BLOCKED, "Connect a Provider")


def test_the_title_is_believed_before_the_file() -> None:
    """Of an Escape, be it in a turn or on a prompt, the file says nothing."""
    detector = Detector(QWEN)
    detector.feed(ProcessStarted(at=0))
    detector.feed(read(next(path for path in SCREENS if path.stem == "80x24-idle")))
    for word in ("busy", "permission"):
        detector.feed(ChannelSaid(at=2, channel="qwen", said=word))
        assert detector.state.state is AgentState.IDLE
    for title, expected in (("◐︎ Qwen - x", AgentState.BUSY), ("✳︎ Qwen - x", AgentState.BLOCKED)):
        detector.feed(TitleSeen(at=3, title=title))
        assert detector.state.state is expected


def test_the_file_is_believed_where_nothing_else_is_known() -> None:
    """A screen that was never seen, without a title."""
    detector = Detector(QWEN)
    detector.feed(ProcessStarted(at=0))
    detector.feed(ScreenSeen(at=1, lines=("something new",), title="host"))
    assert detector.state.state is AgentState.STARTING
    for word, expected in (("busy", AgentState.BUSY), ("permission", AgentState.BLOCKED)):
        detector.feed(ChannelSaid(at=2, channel="qwen", said=word))
        assert detector.state.state is expected


@pytest.mark.parametrize("text", ["/help", "!ls", "@README.md x", "? what", "  /help", "\n!ls"])
def test_what_would_act_is_framed(text: str) -> None:
    """By keys and by file alike."""
    assert re.search(QWEN.deliver.special_first, text)


@pytest.mark.parametrize("text", ["ends \\", "see @REA", "see @README.md "])
def test_what_would_swallow_enter_is_framed(text: str) -> None:
    """Behind it, too."""
    assert re.search(QWEN.deliver.special_last, text)
    assert not re.search(QWEN.deliver.special_last, "mail me @home please")


def test_how_it_is_started() -> None:
    """With its two files; the first is there, and empty."""
    launch = QWEN.launch
    assert launch.channel == "qwen"
    assert launch.resume == (*launch.args, "--resume", "{session}")
    assert [(file.path, file.content) for file in launch.files] == [("in.jsonl", "")]
    assert all(word.startswith(("--", "{run}/")) for word in launch.args)
