"""What codex 0.169.0 shows, tells the terminal and says on its channel, and what is made of it.

The screens were captured at three sizes; codex was made to show each by a scripted model.
"""

from pathlib import Path

import msgspec
import pytest

from tests.unit.agents.screens import label, read, recorded, state
from tmuxorc.agents import Detector, load_kinds
from tmuxorc.agents.evidence import (
    ChannelLost,
    ChannelSaid,
    Evidence,
    Osc,
    ProcessStarted,
    PromptSeen,
    ScreenSeen,
    TitleSeen,
)
from tmuxorc.agents.frame import find_box, find_dialog
from tmuxorc.agents.prompts import read_prompt
from tmuxorc.model import AgentState, Prompt

CODEX = load_kinds()["codex"]
SCREENS = list(recorded("codex"))
STATES = {
    "starting": AgentState.STARTING,
    "idle-fresh": AgentState.IDLE,
    "idle": AgentState.IDLE,
    "idle-after-escape": AgentState.IDLE,
    "draft": AgentState.IDLE,
    "draft-lines": AgentState.IDLE,
    "draft-big": AgentState.IDLE,
    "busy-thinking": AgentState.BUSY,
    "busy-streaming": AgentState.BUSY,
    "retrying": AgentState.BUSY,
    "permission": AgentState.BLOCKED,
    "permission-moved": AgentState.BLOCKED,
    "login": AgentState.BLOCKED,
    "limited": AgentState.LIMITED,
}
"""By screen and title alone; what codex gave up for another reason than a limit looks idle then."""


def names(path: Path) -> str:
    """For the test's name."""
    return path.stem


def only(*labels: str) -> list[Path]:
    """The screens that show one of these, in all sizes."""
    found = [path for path in SCREENS if label(path) in labels]
    assert len(found) == 3 * len(labels)
    return found


def after(*evidence: Evidence) -> Detector:
    """A detector that was fed this."""
    detector = Detector(CODEX)
    for piece in (ProcessStarted(at=0), *evidence):
        detector.feed(piece)
    return detector


def osc(word: str) -> Osc:
    """What codex tells the terminal."""
    return Osc(at=2, number=7501, text=f"state={word}")


def channel(word: str, detail: str = "") -> ChannelSaid:
    """What codex says on its channel."""
    return ChannelSaid(at=3, channel="codex", said=word, detail=detail)


@pytest.mark.parametrize("path", [path for path in SCREENS if label(path) in STATES], ids=names)
def test_states_by_screen_and_title(path: Path) -> None:
    """As for a codex that a person started by hand, seen for the first time."""
    assert state(CODEX, read(path)).state is STATES[label(path)]


@pytest.mark.parametrize("path", only("gave-up"), ids=names)
def test_a_failure_needs_the_terminals_word(path: Path) -> None:
    """On the screen alone it is an idle agent, which it is as well."""
    screen = read(path)
    assert state(CODEX, screen).state is AgentState.IDLE
    failed = after(screen, osc("error:app=codex")).state
    assert failed.state is AgentState.FAILED
    assert failed.detail.startswith("We’re currently experiencing high")


@pytest.mark.parametrize("path", only("idle", "draft", "busy-streaming", "permission"), ids=names)
@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("working:app=codex", AgentState.BUSY),
        ("blocked:app=codex:kind=permission", AgentState.BLOCKED),
        ("done:app=codex", AgentState.IDLE),
        ("idle:app=codex", AgentState.IDLE),
    ],
)
def test_what_it_tells_the_terminal(path: Path, word: str, expected: AgentState) -> None:
    """It decides, unless a dialog shows."""
    screen = msgspec.structs.replace(read(path), title="")
    told = after(screen, osc(word)).state
    if label(path) == "permission":
        assert told.state is AgentState.BLOCKED
    else:
        assert (told.state, told.source) == (expected, "osc")


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("idle", AgentState.IDLE),
        ("active", AgentState.BUSY),
        ("active retrying", AgentState.BUSY),
        ("active waitingOnApproval", AgentState.BLOCKED),
        ("active waitingOnUserInput", AgentState.BLOCKED),
        ("systemError", AgentState.FAILED),
        ("systemError limited", AgentState.LIMITED),
    ],
)
def test_what_it_says_on_its_channel(word: str, expected: AgentState) -> None:
    """It decides, with the reason it gives."""
    told = after(idle(), channel(word, "because")).state
    assert (told.state, told.detail, told.source) == (expected, "because", "channel")


def idle() -> ScreenSeen:
    """A screen at rest."""
    return read(only("idle")[0])


@pytest.mark.parametrize("path", only("permission", "permission-moved", "login"), ids=names)
def test_idle_on_the_channel_is_no_idle_before_a_dialog(path: Path) -> None:
    """One of a sub-agent, or one that the person opened."""
    assert after(read(path), channel("idle")).state.state is AgentState.BLOCKED


def test_an_open_prompt_is_the_detail() -> None:
    """Its command, as the channel told it."""
    prompt = Prompt(id="codex1-0", source="codex", question="Run it?", command="touch x")
    told = after(idle(), channel("active waitingOnApproval"), PromptSeen(at=3, prompt=prompt)).state
    assert told.detail == "touch x"


def test_a_lost_channel_counts_no_more() -> None:
    """The terminal's word does, then the title's."""
    lost = ChannelLost(at=4, channel="codex")
    assert after(idle(), channel("active"), lost).state.state is AgentState.IDLE
    assert after(idle(), channel("idle"), lost, osc("working:app=codex")).state.source == "osc"
    assert after(idle(), channel("idle"), lost, TitleSeen(at=5, title="⠸ project")).state.source == "title"


@pytest.mark.parametrize("path", only("idle", "idle-fresh", "idle-after-escape", "limited", "gave-up"), ids=names)
def test_an_empty_composer(path: Path) -> None:
    """What stands in it is a suggestion."""
    screen = read(path)
    box = find_box(CODEX.composer, screen)
    assert box is not None
    assert box.empty
    assert find_dialog(CODEX, screen) is None


@pytest.mark.parametrize("path", only("draft", "draft-lines", "draft-big", "slash-menu"), ids=names)
def test_a_composer_with_something_in_it(path: Path) -> None:
    """Nothing may be typed behind it."""
    box = find_box(CODEX.composer, read(path))
    assert box is not None
    assert not box.empty
    drafts = {"draft": "half a line", "draft-lines": "one\ntwo\nthree", "slash-menu": "/new"}
    assert box.text == drafts.get(label(path), "[Pasted Content 3000 chars]")


@pytest.mark.parametrize("path", only("permission", "permission-moved", "login"), ids=names)
def test_no_key_is_pressed_before_a_dialog(path: Path) -> None:
    """A message would answer it."""
    assert find_dialog(CODEX, read(path)) is not None


@pytest.mark.parametrize("path", only("permission", "permission-moved"), ids=names)
def test_a_prompt_on_the_screen(path: Path) -> None:
    """For an agent without a channel; what has scrolled out of a small pane is no option."""
    prompt = read_prompt(CODEX, read(path))
    assert prompt is not None
    assert prompt.question.startswith("Would you like to run")
    assert prompt.command in ("touch proof-approved", "touch typed")
    scrolled = path.stem == "40x15-permission-moved"
    assert prompt.approve == ("" if scrolled else "1")
    assert scrolled or prompt.options[0].label == "Yes, proceed"
    cut_off = path.stem.startswith("40x15")
    assert prompt.deny == ("decline" if cut_off else "3")
