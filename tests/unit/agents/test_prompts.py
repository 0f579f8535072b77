"""Permission prompts read from screens: our own demo's, and those of real programs at two widths."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.agents.screens import FOLDER, read
from tests.unit.delivery.screens import composer, dialog
from tmuxorc.agents import load_kinds
from tmuxorc.agents.demo._paint import paint
from tmuxorc.agents.demo._session import Dialog, Session
from tmuxorc.agents.evidence import ScreenSeen
from tmuxorc.agents.frame import pattern
from tmuxorc.agents.kinds import Kind
from tmuxorc.agents.prompts import DECLINE, answer_keys, prompt_gate, read_prompt
from tmuxorc.agents.schema import Prompts
from tmuxorc.model import Prompt

KINDS = load_kinds()
DEMO = KINDS["demo"]


def other(prompts: Prompts) -> Kind:
    """A kind of which nothing matters but its prompts."""
    return msgspec.structs.replace(KINDS["command"], prompts=prompts)


OTHERS = {
    "codex": other(
        Prompts(
            question=r"^  Would you like to run",
            command=r"^  \$ (?P<command>.+)$",
            option=r"^[› ] [0-9]\. (?P<label>.*?)( \((?P<key>[a-z]+)\))?$",
            end=r"^  Press enter to confirm",
            approve="^Yes, proceed",
            deny="^No",
            decline=(),
        )
    ),
    "claude": other(
        Prompts(
            question=r"^ Do you want to proceed\?$",
            command=r"^ (│ )?(?P<command>touch .*)$",
            option=r"^ [❯ ] (?P<key>[0-9])\. (?P<label>.*)$",
            end=r"^ Esc to cancel",
            approve="^Yes$",
            deny="^No$",
        )
    ),
    "opencode": other(
        Prompts(
            question=r"△ Permission required",
            command=r"^ *┃ +\$ (?P<command>.+)$",
            option=r"(?P<label>(?P<key>Allow once|Allow always|Reject))",
            end=r"^ *[┃╹▀ ]*$",
            approve="^Allow once$",
            deny="^Reject$",
        )
    ),
    "qwen": other(
        Prompts(
            question=r"^   Allow execution of: '",
            command=r"^     (?P<command>touch .*?) *█?$",
            option=r"^   [› ] (?P<key>[0-9])\. (?P<label>.*?) *█?$",
            end=r"Waiting for user confirmation|^ *█?$",
            approve="^Yes, allow once",
            deny="^No",
        )
    ),
    "gemini": KINDS["gemini"],
    "aider": KINDS["aider"],
}
APPROVE = {"codex": "y", "claude": "1", "opencode": "Allow once", "qwen": "1", "gemini": "1", "aider": "Y"}
DENY = {"codex": "esc", "opencode": "Reject", "gemini": "3", "aider": "N"}
KEYS = {
    "codex": ("y", "Escape"),
    "claude": ("1", "Escape"),
    "qwen": ("1", "Escape"),
    "gemini": ("1", "Escape"),
    "aider": ("Y", "n"),
}


def screens() -> list[tuple[str, Path]]:
    """Each recorded prompt with whose it is."""
    theirs = [(path.name.partition("-")[0], path) for path in sorted((FOLDER / "prompts").glob("*permission*"))]
    ours = [(kind, path) for kind in ("gemini", "aider") for path in sorted((FOLDER / kind).glob("*permission*"))]
    return [*theirs, *ours]


def without() -> list[tuple[str, Path]]:
    """Each recorded screen of theirs without a prompt."""
    found = sorted(path for path in (FOLDER / "prompts").glob("*.screen") if "permission" not in path.stem)
    return [(path.name.partition("-")[0], path) for path in found]


@pytest.mark.parametrize(("kind", "path"), screens(), ids=lambda each: getattr(each, "stem", each))
def test_a_real_prompt_is_read(kind: str, path: Path) -> None:
    """What is asked, what would run, which option does what."""
    screen = read(path)
    prompt = read_prompt(OTHERS[kind], screen)
    assert prompt is not None
    assert prompt.source == "screen"
    assert kind == "aider" or prompt.command.startswith(("touch made", "echo", "... 2 hidden"))
    assert prompt.approve == APPROVE[kind]
    assert prompt.deny == DENY.get(kind, prompt.options[-1].key)
    assert len({option.key for option in prompt.options}) == len(prompt.options) >= 3


@pytest.mark.parametrize(("kind", "path"), screens(), ids=lambda each: getattr(each, "stem", each))
def test_its_gate_is_what_stands_there(kind: str, path: Path) -> None:
    """Every line of it; another command shuts the gate."""
    screen = read(path)
    prompt = read_prompt(OTHERS[kind], screen)
    assert prompt is not None
    gate = prompt_gate(OTHERS[kind], screen, prompt)
    assert opens(gate, screen)
    changed = tuple(line.replace("made", "gone").replace("sleep 3", "sleep 4") for line in screen.lines)
    if kind != "aider":  # it asks about what it printed before
        assert not opens(gate, msgspec.structs.replace(screen, lines=changed))
    with pytest.raises(ValueError, match="another prompt"):
        prompt_gate(OTHERS[kind], screen, msgspec.structs.replace(prompt, id="other"))


def opens(gate: tuple[str, ...], screen: ScreenSeen) -> bool:
    """Whether tmux would let keys through."""
    return bool(gate) and all(any(pattern(regex).search(line) for line in screen.lines) for regex in gate)


@pytest.mark.parametrize(("kind", "path"), screens(), ids=lambda each: getattr(each, "stem", each))
def test_the_keys_are_the_kinds_own(kind: str, path: Path) -> None:
    """The first that is pressed for approval and for refusal."""
    prompt = read_prompt(OTHERS[kind], read(path))
    assert prompt is not None
    if kind in KEYS:
        pressed = [answer_keys(OTHERS[kind], prompt, key)[0] for key in (prompt.approve, prompt.deny)]
        assert tuple(pressed) == KEYS[kind]
    with pytest.raises(ValueError, match="no option"):
        answer_keys(OTHERS[kind], prompt, "nothing")


@pytest.mark.parametrize(("kind", "path"), without(), ids=lambda each: getattr(each, "stem", each))
def test_no_prompt_is_read_where_none_is(kind: str, path: Path) -> None:
    """Before and after."""
    assert read_prompt(OTHERS[kind], read(path)) is None


def test_the_prompt_changes_with_what_is_asked_only() -> None:
    """Not with the option that is marked, nor with what stands above it."""
    session = Session()
    session.dialog = Dialog("Permission needed", "Run: rm -rf x", [], [])
    first = painted(session)
    session.dialog.choice = False
    session.transcript.append("more")
    second = painted(session)
    session.dialog.question = "Run: rm -rf y"
    third = painted(session)
    assert first.id == second.id != third.id
    assert (first.question, first.command) == ("Run: rm -rf x", "rm -rf x")
    assert [(option.key, option.label) for option in first.options] == [("1", "Yes"), ("2", "No")]
    assert (first.approve, first.deny) == ("1", "2")
    assert answer_keys(DEMO, first, "1") == ("1",)
    assert answer_keys(DEMO, first, "2") == ("Escape",)


def painted(session: Session) -> Prompt:
    """The prompt that the demo agent shows."""
    rows, _ = paint(session, 24, 80, 0.0)
    prompt = read_prompt(DEMO, ScreenSeen(at=0, lines=tuple(row.rstrip() for row in rows), cursor_visible=False))
    assert prompt is not None
    return prompt


def test_a_printed_prompt_is_text() -> None:
    """It stands above a composer."""
    text = dialog().lines
    assert read_prompt(DEMO, composer("", transcript=text)) is None
    assert read_prompt(DEMO, dialog(transcript=text)) is not None


def test_a_printed_prompt_above_a_real_one_does_not_change_it() -> None:
    """Neither its question nor its options."""
    alone, both = read_prompt(DEMO, dialog()), read_prompt(DEMO, dialog(transcript=dialog().lines))
    assert alone == both


def test_options_that_the_command_imitates_are_no_options() -> None:
    """The last of each key counts, and what stands above them is the command's."""
    kind = other(Prompts(question=r"^Run\?", option=r"^ (?P<key>\d)\. (?P<label>.*)", approve="^Yes$"))
    screen = ScreenSeen(at=0, lines=("Run?", " 2. Yes", " 1. Yes", "", " 1. No", " 2. Yes", ""))
    prompt = read_prompt(kind, screen)
    assert prompt is not None
    assert [(option.key, option.label) for option in prompt.options] == [("1", "No"), ("2", "Yes"), (DECLINE, "No")]
    assert (prompt.approve, prompt.deny) == ("2", DECLINE)
    assert answer_keys(kind, prompt, DECLINE) == ("Escape",)


def test_a_prompt_without_options_is_none() -> None:
    """Nobody could answer it; nor is one with a lot below it."""
    kind = other(Prompts(question=r"^Run\?", option=r"^ (?P<key>\d)\. (?P<label>.*)"))
    for lines in ((), ("Run?",), ("Run?", " 1. Yes", *("text",) * 10), (" 1. Yes", "Run?")):
        assert read_prompt(kind, ScreenSeen(at=0, lines=lines)) is None


@given(st.lists(st.sampled_from([*dialog().lines, "text", "", "─" * 40, "❯ x"]), max_size=12))
def test_any_screen_can_be_read(lines: list[str]) -> None:
    """And what is read opens its own gate."""
    screen = ScreenSeen(at=0, lines=tuple(lines))
    prompt = read_prompt(DEMO, screen)
    if prompt is not None:
        assert opens(prompt_gate(DEMO, screen, prompt), screen)
