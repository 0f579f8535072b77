"""Claude Code's screens, as 2.1.331 painted them: the state, the composer, the prompts, with and without the title."""

import json
import re
from pathlib import Path

import msgspec
import pytest

from tests.unit.agents.screens import label, read, recorded, state
from tmuxorc.agents import Detector, load_kinds
from tmuxorc.agents.evidence import Exited, HookSaid, ProcessStarted, PromptSeen, ScreenSeen
from tmuxorc.agents.frame import find_box, find_dialog
from tmuxorc.agents.prompts import answer_keys, prompt_gate, read_prompt
from tmuxorc.delivery._look import Look
from tmuxorc.model import AgentState, Prompt

CLAUDE = load_kinds()["claude"]
SCREENS = list(recorded("claude"))
UNTITLED = "a title of somebody else's"

STATES = {
    "starting": AgentState.STARTING,
    "idle-fresh": AgentState.IDLE,
    "idle-after-turn": AgentState.IDLE,
    "idle-after-queued": AgentState.IDLE,
    "background-shell": AgentState.IDLE,
    "cleared-ctrl-c": AgentState.IDLE,
    "compacted": AgentState.IDLE,
    "denied-write": AgentState.IDLE,
    "draft": AgentState.IDLE,
    "draft-collapsed": AgentState.IDLE,
    "draft-lines": AgentState.IDLE,
    "help": AgentState.IDLE,
    "interrupted": AgentState.IDLE,
    "lookalike": AgentState.IDLE,
    "mode-2": AgentState.IDLE,
    "mode-3": AgentState.IDLE,
    "restored-prompt": AgentState.IDLE,
    "resumed": AgentState.IDLE,
    "slash-menu": AgentState.IDLE,
    "start-bypass": AgentState.IDLE,
    "start-loggedout": AgentState.IDLE,
    "start-nudge": AgentState.IDLE,
    "background-agents": AgentState.BUSY,
    "busy-draft": AgentState.BUSY,
    "busy-hang": AgentState.BUSY,
    "busy-queued-1": AgentState.BUSY,
    "busy-queued-2": AgentState.BUSY,
    "busy-queued-peer": AgentState.BUSY,
    "busy-streaming": AgentState.BUSY,
    "busy-thinking": AgentState.BUSY,
    "busy-tool": AgentState.BUSY,
    "compacting": AgentState.BUSY,
    "config-dialog": AgentState.BLOCKED,
    "model-dialog": AgentState.BLOCKED,
    "perm-bash": AgentState.BLOCKED,
    "perm-bash-long": AgentState.BLOCKED,
    "perm-plan": AgentState.BLOCKED,
    "perm-question": AgentState.BLOCKED,
    "perm-question2": AgentState.BLOCKED,
    "perm-webfetch": AgentState.BLOCKED,
    "perm-write": AgentState.BLOCKED,
    "resume-dialog": AgentState.BLOCKED,
    "rewind-dialog": AgentState.BLOCKED,
    "start-apikey": AgentState.BLOCKED,
    "start-mcp": AgentState.BLOCKED,
    "start-onboarding": AgentState.BLOCKED,
    "start-onboarding-2": AgentState.BLOCKED,
    "start-onboarding-3": AgentState.BLOCKED,
    "start-trust": AgentState.BLOCKED,
    "failed-retrying": AgentState.LIMITED,
    "gave-up-429": AgentState.LIMITED,
    "limited-retrying": AgentState.LIMITED,
    "gave-up-500": AgentState.FAILED,
    "no-network": AgentState.FAILED,
    "start-loggedout-3": AgentState.FAILED,
    # No rule knows these: a person looks at something.  Before it was ready that is called starting.
    "shell-mode": AgentState.STARTING,
    "transcript-view": AgentState.STARTING,
    # The process has ended, which no screen tells.
    "exited": AgentState.STARTING,
}
DRAFTS = {
    "draft": "half a line",
    "draft-lines": "one\n    two\nthree",
    "draft-collapsed": "[Pasted text #1 +59 lines]",
    "busy-draft": "draft while busy",
    "restored-prompt": "HANG on please",
    "slash-menu": "/",
}
NO_COMPOSER = {"starting", "shell-mode", "transcript-view", "exited", "no-network"}
EMPTY = {name for name, found in STATES.items() if found is not AgentState.BLOCKED} - DRAFTS.keys() - NO_COMPOSER
BLOCKED = {name for name, found in STATES.items() if found is AgentState.BLOCKED}


def each(*names: str) -> pytest.MarkDecorator:
    """The recorded screens of these names, all without names."""
    paths = [path for path in SCREENS if not names or label(path) in names]
    return pytest.mark.parametrize("path", paths, ids=lambda path: path.stem)


def prompted(path: Path) -> Prompt:
    """The prompt on a screen that has one."""
    prompt = read_prompt(CLAUDE, read(path))
    assert prompt is not None
    return prompt


# --- states ---


@each()
def test_the_state_is_known(path: Path) -> None:
    """At every size."""
    assert state(CLAUDE, read(path)).state is STATES[label(path)]


@each()
def test_without_the_title_nothing_is_taken_for_idle_that_is_not(path: Path) -> None:
    """A person may have it switched off: what then cannot be told is unknown."""
    found = state(CLAUDE, msgspec.structs.replace(read(path), title=UNTITLED)).state
    assert found in (STATES[label(path)], AgentState.STARTING)


DETAILS = {
    "perm-bash": "touch ../proof && sleep 5",
    "perm-write": "Do you want to create new.txt?",
    "perm-question": "Which colour?",
    "perm-plan": "Exit plan mode?",
    "start-apikey": "Do you want to use this API key?",
    "limited-retrying": "API error",
    "start-loggedout-3": "Not logged in · Please run /login",
    "no-network": "Unable to connect to Anthropic services",
}


@each(*DETAILS)
def test_the_detail_says_what_it_is_about(path: Path) -> None:
    """The command, the question, the error."""
    assert state(CLAUDE, read(path)).detail == DETAILS[label(path)]


@each("gave-up-429", "gave-up-500")
def test_an_error_is_named(path: Path) -> None:
    """As far as its first line goes."""
    assert state(CLAUDE, read(path)).detail.startswith("API Error: ")


@each("exited")
def test_it_has_exited(path: Path) -> None:
    """Whatever it left on the screen."""
    detector = Detector(CLAUDE)
    for evidence in (ProcessStarted(at=0), read(path), Exited(at=2, status=0)):
        detector.feed(evidence)
    assert detector.state.state is AgentState.EXITED


@each("idle-after-turn", "interrupted", "busy-streaming")
@pytest.mark.parametrize("event", ["PermissionRequest", "Notification permission_prompt", "UserPromptSubmit", "Stop"])
def test_the_screen_overrules_the_hooks(path: Path, event: str) -> None:
    """They say nothing of Escape."""
    detector = Detector(CLAUDE)
    for evidence in (ProcessStarted(at=0), HookSaid(at=3, event=event), read(path)):
        detector.feed(evidence)
    assert detector.state.state is STATES[label(path)]


def test_where_the_screen_shows_nothing_a_hook_tells_of_a_prompt() -> None:
    """As in a pane of three rows, with the command that is asked for."""
    screen = ScreenSeen(at=1, lines=("   2. Yes,", "   3. No", ""), title="✳ Claude Code")
    prompt = Prompt(id="p", source="hook", question="Allow Bash?", command="date")
    detector = Detector(CLAUDE)
    for evidence in (
        ProcessStarted(at=0),
        screen,
        HookSaid(at=2, event="PermissionRequest"),
        PromptSeen(at=2, prompt=prompt),
    ):
        detector.feed(evidence)
    assert (detector.state.state, detector.state.detail) == (AgentState.BLOCKED, "date")


# --- the composer ---


@each(*DRAFTS)
def test_a_draft_is_seen(path: Path) -> None:
    """With several lines, as what stands for a big paste, and a prompt that Escape has put back."""
    box = find_box(CLAUDE.composer, read(path))
    assert box is not None
    assert not box.empty
    assert [line.rstrip() for line in box.text.split("\n")] == DRAFTS[label(path)].split("\n")


@each(*EMPTY)
def test_a_placeholder_is_no_draft(path: Path) -> None:
    """What it says of queued messages, and of sending one again."""
    box = find_box(CLAUDE.composer, read(path))
    assert box is not None
    assert box.empty


@each(*BLOCKED, *NO_COMPOSER)
def test_what_is_no_composer_is_not_taken_for_one(path: Path) -> None:
    """Options of a dialog are marked like it."""
    assert find_box(CLAUDE.composer, read(path)) is None


@each("draft", "draft-lines", "draft-collapsed")
def test_our_text_is_known_in_the_composer(path: Path) -> None:
    """Tabs become blanks there, a big paste a word."""
    texts = {
        "draft": "half a line",
        "draft-lines": "one\n\ttwo\nthree",
        "draft-collapsed": "\n".join(f"line {number}" for number in range(60)),
    }
    look = Look(CLAUDE, texts[label(path)])
    box = find_box(CLAUDE.composer, read(path))
    assert box is not None
    assert look.holds_ours(box)
    assert not Look(CLAUDE, "something else").holds_ours(box) or label(path) == "draft-collapsed"


@each("idle-after-turn")
def test_messages_are_known_in_the_transcript(path: Path) -> None:
    """Once they are taken in."""
    assert Look(CLAUDE, "THINK 4").entries(read(path)) == 1


@each("busy-queued-1")
def test_a_message_that_waits_is_not_taken_in(path: Path) -> None:
    """Though it is shown like one that is."""
    assert Look(CLAUDE, "queued one").entries(read(path)) == 0


@each("busy-queued-1", "busy-queued-2")
def test_a_queue_is_seen(path: Path) -> None:
    """It keeps what is submitted while it works."""
    assert Look(CLAUDE, "x").queued(read(path))


# --- dialogs and prompts ---


@each("perm-bash", "perm-bash-long", "perm-write", "perm-question", "perm-plan", "perm-webfetch", "start-trust")
def test_no_key_is_sent_into_a_dialog(path: Path) -> None:
    """By lines of its own, and because no composer shows."""
    assert find_dialog(CLAUDE, read(path)) is not None


@each(*(set(STATES) - BLOCKED))
def test_no_dialog_is_seen_where_there_is_none(path: Path) -> None:
    """Also where one is quoted."""
    screen = read(path)
    assert find_dialog(CLAUDE, screen) is None
    assert read_prompt(CLAUDE, screen) is None


@each("perm-bash", "perm-write", "perm-webfetch")
def test_a_permission_is_read(path: Path) -> None:
    """What is to be done, and the options for once and for not at all."""
    prompt = prompted(path)
    commands = {
        "perm-bash": "touch ../proof && sleep 5",
        "perm-write": " 1 one\n 2 two",
        "perm-webfetch": "url: http://127.0.0.1:9/x\nprompt: what",
    }
    assert prompt.command == commands[label(path)]
    assert prompt.question.startswith("Do you want to ")
    assert [option.key for option in prompt.options] == [str(number + 1) for number in range(len(prompt.options))]
    assert (prompt.approve, prompt.deny) == ("1", prompt.options[-1].key)
    assert answer_keys(CLAUDE, prompt, "1") == ("1",)
    assert answer_keys(CLAUDE, prompt, prompt.deny) == ("Escape",)
    assert len(prompt_gate(CLAUDE, read(path), prompt)) > 3


@each("perm-bash-long")
def test_a_long_command_is_read_whole(path: Path) -> None:
    """Even where the dialog is higher than the screen as far as that shows it."""
    command = prompted(path).command
    assert command.endswith("touch ../zz")
    assert command.startswith("echo a very long command line that")


@each("perm-question")
def test_a_question_is_read(path: Path) -> None:
    """There is nothing to approve."""
    prompt = prompted(path)
    assert (prompt.question, prompt.command, prompt.approve) == ("Which colour?", "", "")
    assert [option.label for option in prompt.options][:2] == ["Red", "Blue"]


@each("perm-plan")
def test_a_plan_is_approved_without_more_rights(path: Path) -> None:
    """By its first option."""
    assert (prompted(path).approve, prompted(path).deny) == ("1", "2")


@each("perm-question2")
def test_boxes_to_tick_are_no_options(path: Path) -> None:
    """A key would not answer."""
    assert "1" not in [option.key for option in prompted(path).options]


# --- how it is started and spoken to ---


def test_its_settings_are_json() -> None:
    """With a command of ours at each event, and the first of them leaving its files in the private folder."""
    (file,) = CLAUDE.launch.files
    settings = json.loads(file.content.replace("{hook}", "python hook.py"))
    assert settings["crossSessionInbound"] == "accept"
    commands = {event: entries[0]["hooks"][0]["command"] for event, entries in settings["hooks"].items()}
    assert all(command.endswith(f"python hook.py {event}") for event, command in commands.items())
    assert "> inbox" in commands["SessionStart"]
    assert "tee session" in commands["SessionStart"]


@pytest.mark.parametrize("text", ["/help", "  /help", "!ls", "?", "@FILE", "\n/x"])
def test_what_would_be_a_command_is_framed(text: str) -> None:
    """Also behind blanks."""
    assert re.search(CLAUDE.deliver.special_first, text)


@pytest.mark.parametrize("text", ["x\\", "see @REA", "x\\\n"])
def test_what_would_hold_the_submit_key_back_is_framed(text: str) -> None:
    """A backslash makes it a newline, a name opens a menu."""
    assert re.search(CLAUDE.deliver.special_last, text)


@pytest.mark.parametrize("text", ["# heading", "- item", "a/b", "me@home.org says", "what?"])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    """A person's own words are not framed without need."""
    assert not re.search(CLAUDE.deliver.special_first, text)
    assert not re.search(CLAUDE.deliver.special_last, text)
