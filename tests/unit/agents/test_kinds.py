"""Kinds as data: what comes with the program, what a person adds, what is wrong with a file."""

import re
import sys
from pathlib import Path

import pytest

from tmuxorc.agents import UnknownKindError, find_kind, load_kinds
from tmuxorc.agents.kinds import Kind
from tmuxorc.agents.schema import Composer
from tmuxorc.errors import ConfigError
from tmuxorc.model import AgentState

KINDS = load_kinds()
PERSONAL = (
    "ANTHROPIC_API_KEY",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CONFIG_DIR",
    "CODEX_API_KEY",
    "CODEX_HOME",
    "GEMINI_API_KEY",
    "OPENCODE_CONFIG",
)
MINIMAL = """
summary = "mine"
seen_on = "1.0"
state_from = "process"
stop = [{ signal = "SIGINT" }]
[deliver]
when = ["busy"]
verify = "echo"
"""


def test_the_first_set() -> None:
    """A program, a shell, an agent of our own."""
    assert set(KINDS) >= {"command", "shell", "demo"}
    assert all(kind.name == name and kind.summary and kind.seen_on for name, kind in KINDS.items())


def test_default_commands() -> None:
    """The interpreter that runs us, the caller's shell, and none for just any program."""
    assert KINDS["demo"].argv({}) == (sys.executable, "-I", "-m", "tmuxorc.agents.demo")
    assert KINDS["shell"].argv({"SHELL": "/bin/zsh"}) == ("/bin/zsh",)
    assert KINDS["shell"].argv({"SHELL": "zsh"}) == ("/bin/sh",)
    assert KINDS["shell"].argv({}) == ("/bin/sh",)
    assert KINDS["command"].argv({}) == ()


def test_nesting_markers_are_not_inherited() -> None:
    """An agent must not take itself for another one's child."""
    names = ["PATH", "CLAUDECODE", "CLAUDE_CODE_SSE_PORT", "CODEX_SANDBOX", "TMUX_ORC_AGENT", "HOME"]
    assert KINDS["demo"].unset_in(names) == ("CLAUDECODE", "CLAUDE_CODE_SSE_PORT", "CODEX_SANDBOX", "TMUX_ORC_AGENT")


def test_settings_and_logins_are_inherited() -> None:
    """They begin like the markers."""
    assert KINDS["demo"].unset_in(PERSONAL) == ()


def test_a_kind_drops_variables_of_its_own_choice(tmp_path: Path) -> None:
    """By patterns, beside the markers."""
    (tmp_path / "mine.toml").write_text(MINIMAL + '[env]\nunset = ["MY_TOOL_*"]\n')
    names = ["PATH", "MY_TOOL_X", "MY_TOOLS", "CLAUDECODE"]
    assert load_kinds(str(tmp_path))["mine"].unset_in(names) == ("CLAUDECODE", "MY_TOOL_X")


def test_an_unknown_kind_names_the_nearest() -> None:
    """Or, if none is near, all there are."""
    with pytest.raises(UnknownKindError) as caught:
        find_kind(KINDS, "shel")
    assert (caught.value.code, caught.value.hint) == ("unknown_kind", "did you mean 'shell'?")
    with pytest.raises(UnknownKindError) as caught:
        find_kind(KINDS, "\x1b[31m\udc80")
    assert caught.value.hint == f"known kinds: {', '.join(sorted(KINDS))}"
    assert caught.value.message.isprintable()
    assert find_kind(KINDS, "demo") is KINDS["demo"]


def test_a_persons_own_kinds_are_added_and_win(tmp_path: Path) -> None:
    """A folder that is not there is no error; only TOML files count."""
    (tmp_path / "mine.toml").write_text(MINIMAL)
    (tmp_path / "demo.toml").write_text(MINIMAL)
    (tmp_path / "notes.txt").write_text("nothing")
    kinds = load_kinds(str(tmp_path))
    assert set(kinds) == {*KINDS, "mine"}
    assert kinds["demo"].summary == "mine"
    assert kinds["mine"].deliver.when == (AgentState.BUSY,)
    assert load_kinds(str(tmp_path / "missing")) == KINDS


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MINIMAL.replace("summary", "sumary"), "sumary"),
        (MINIMAL.replace('"process"', '"smell"'), "state_from"),
        (MINIMAL.replace('verify = "echo"', 'verify = "composer"'), "composer"),
        (MINIMAL + 'prompt = "["\n', "deliver.prompt"),
        (MINIMAL + '[[states]]\nstate = "idle"\nregion = "last"\nmatch = "("\n', "states[0].match"),
        ("summary = ", "TOML"),
    ],
)
def test_a_bad_file_is_one_clear_error(tmp_path: Path, text: str, said: str) -> None:
    """Naming the file and the key."""
    (tmp_path / "bad.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_kinds(str(tmp_path))
    assert said in caught.value.message + caught.value.hint
    assert str(tmp_path / "bad.toml") in caught.value.message


def gate_patterns(kind: Kind) -> list[str]:
    """The patterns that tmux checks."""
    composer = kind.composer or Composer(first="", empty="", end="", cursor_column=0)
    return [*kind.dialogs, composer.first, composer.empty]


@pytest.mark.parametrize("kind", KINDS.values(), ids=str)
def test_patterns_for_tmux_are_plain_enough_for_it(kind: Kind) -> None:
    r"""POSIX extended expressions know no ``\d``, no lazy repetition, no ``(?…)``."""
    assert not [p for p in gate_patterns(kind) if re.search(r"\\[A-Za-z]|\(\?|[*+?}][?+]", p)]
