"""opencode's screens, as it painted them; its channel's words; how it is started."""

from pathlib import Path

import pytest

from tests.unit.agents.screens import label, read, recorded, state
from tmuxorc.agents import Detector, load_kinds
from tmuxorc.agents.evidence import ChannelLost, ChannelSaid, ProcessStarted, PromptSeen
from tmuxorc.agents.frame import find_box, find_dialog
from tmuxorc.agents.prompts import read_prompt
from tmuxorc.delivery._look import Look
from tmuxorc.model import AgentState, Prompt

OPENCODE = load_kinds()["opencode"]
SCREENS = list(recorded("opencode"))

STATES = {
    "starting": AgentState.STARTING,
    "home": AgentState.IDLE,
    "empty": AgentState.IDLE,
    "idle": AgentState.IDLE,
    "denied": AgentState.IDLE,
    "interrupted": AgentState.IDLE,
    "draft": AgentState.IDLE,
    "draft-lines": AgentState.IDLE,
    "draft-paste": AgentState.IDLE,
    "busy": AgentState.BUSY,
    "thinking": AgentState.BUSY,
    "tool": AgentState.BUSY,
    "queued": AgentState.BUSY,
    "retrying": AgentState.LIMITED,
    "permission": AgentState.BLOCKED,
    "permission-long": AgentState.BLOCKED,
    "question": AgentState.BLOCKED,
}
DRAFTS = {"draft": "hello", "draft-lines": "[Pasted ~3 lines]", "draft-paste": "[Pasted ~60 lines]"}
DIALOGS = ("permission", "permission-long", "question")


def each(*names: str) -> pytest.MarkDecorator:
    """The recorded screens of these names."""
    paths = [path for path in SCREENS if label(path) in names]
    return pytest.mark.parametrize("path", paths, ids=lambda path: path.stem)


@each(*STATES)
def test_the_state_is_known_by_the_screen_alone(path: Path) -> None:
    """At every size, while the channel is down."""
    assert state(OPENCODE, read(path)).state is STATES[label(path)]


@each("palette")
def test_what_a_person_opened_is_no_place_to_type(path: Path) -> None:
    """Keys would go into its search."""
    screen = read(path)
    assert find_dialog(OPENCODE, screen) is not None
    assert Look(OPENCODE, "hello").obstacle(screen) is not None


@each(*DRAFTS)
def test_a_draft_is_seen(path: Path) -> None:
    """Several lines are shown as their number."""
    box = find_box(OPENCODE.composer, read(path))
    assert box is not None
    assert (box.empty, box.text.strip()) == (False, DRAFTS[label(path)])


@each("empty", "idle", "denied", "interrupted", "busy", "thinking", "tool", "queued")
def test_an_empty_composer_is_seen(path: Path) -> None:
    """Whatever is going on."""
    box = find_box(OPENCODE.composer, read(path))
    assert box is not None
    assert box.empty


@each(*DIALOGS)
def test_no_composer_is_found_in_a_dialog(path: Path) -> None:
    """And a line of it shuts the gate."""
    screen = read(path)
    assert find_box(OPENCODE.composer, screen) is None
    assert find_dialog(OPENCODE, screen) is not None


@each("permission", "permission-long")
def test_a_permission_prompt_can_be_turned_down_by_keys(path: Path) -> None:
    """Not granted: which option Enter would take is told by colour alone."""
    screen = read(path)
    prompt = read_prompt(OPENCODE, screen)
    assert prompt is not None
    assert (prompt.approve, prompt.deny) == ("", "Reject")
    assert prompt.command.split()[0] in ("sleep", "echo")
    assert state(OPENCODE, screen).detail.startswith(prompt.command)


@each("question")
def test_a_question_is_told(path: Path) -> None:
    """In its own words."""
    assert state(OPENCODE, read(path)).detail == "Which colour?"


@each("retrying")
def test_a_retry_says_why(path: Path) -> None:
    """As far as the screen has room for it."""
    assert "scripted failure 429 [retrying" in state(OPENCODE, read(path)).detail


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("idle", AgentState.IDLE),
        ("busy", AgentState.BUSY),
        ("retry", AgentState.LIMITED),
        ("permission", AgentState.BLOCKED),
        ("question", AgentState.BLOCKED),
    ],
)
def test_the_channel_is_believed_before_the_screen(said: str, expected: AgentState) -> None:
    """Until it is lost."""
    detector = Detector(OPENCODE)
    detector.feed(ProcessStarted(at=0))
    detector.feed(read(next(path for path in SCREENS if path.stem == "80x24-thinking")))
    detector.feed(PromptSeen(at=2, prompt=Prompt(id="p", source="opencode", question="may I?", command="date")))
    detector.feed(ChannelSaid(at=2, channel="opencode", said=said, detail="why"))
    assert detector.state.state is expected
    assert detector.state.detail == ("date" if expected is AgentState.BLOCKED else "why")
    detector.feed(ChannelLost(at=3, channel="opencode"))
    assert detector.state.state is AgentState.BUSY


def test_how_it_is_started() -> None:
    """With a port and a password, which its own variables cannot change."""
    launch = OPENCODE.launch
    assert (launch.channel, launch.args) == ("opencode", ("--port", "{port}"))
    assert launch.resume == (*launch.args, "--session", "{session}")
    assert launch.env == {"OPENCODE_SERVER_PASSWORD": "{password}"}
    assert OPENCODE.unset_in(["OPENCODE_SERVER_USERNAME", "OPENCODE_CONFIG"]) == ("OPENCODE_SERVER_USERNAME",)
