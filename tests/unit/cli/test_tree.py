"""The table of commands and the commands themselves say the same, and every command is complete."""

import io
import shlex
from typing import Any

import asyncclick as click
import pytest

from tests.support import Home
from tmuxorc.cli._declare import Declared
from tmuxorc.cli._group import load, parse
from tmuxorc.cli._main import drive
from tmuxorc.cli._tree import Entry, walk
from tmuxorc.cli.render import DRAWN_IN, renderer

COMMANDS = {" ".join(words): entry for words, entry in walk().items()}
every_command = pytest.mark.parametrize(("words", "entry"), COMMANDS.items(), ids=COMMANDS)


def shell_words(example: str) -> list[str]:
    """The words of the first ``tmux-orc`` in an example, up to what the shell does with its output."""
    words = shlex.split(example, comments=True)
    words = words[words.index("tmux-orc") + 1 :]
    ends = [words.index(end) for end in ("|", ">", "&&") if end in words]
    return words[: min(ends, default=len(words))]


@every_command
def test_summary_is_the_first_line_of_the_docstring(words: str, entry: Entry) -> None:
    assert load(entry).summary == entry.summary


@every_command
def test_examples_parse(words: str, entry: Entry, monkeypatch: pytest.MonkeyPatch, home: Home) -> None:
    """Each command's help shows at least one example, and what stands there is accepted as it is."""
    declared = load(entry)
    assert declared.examples
    monkeypatch.chdir(home.root)
    (home.root / "brief.md").write_text("text")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"text")))
    for example in declared.examples:
        if example.startswith(("tmux-orc", "git diff")):
            assert isinstance(drive(parse(shell_words(example))).declared, Declared)


@every_command
def test_somebody_draws_the_result(words: str, entry: Entry) -> None:
    declared = load(entry)
    if declared.act is None:
        assert callable(renderer(declared.render or declared.result.__name__))
    if declared.stream is not None:
        assert callable(renderer(declared.stream.__name__))


def test_every_renderer_exists() -> None:
    assert all(callable(renderer(name)) for name in DRAWN_IN)


@every_command
def test_every_parameter_is_explained(words: str, entry: Entry) -> None:
    for parameter in load(entry).parameters:
        assert parameter.marker.help, parameter.name
        assert parameter.positional or parameter.marker.flags, parameter.name


@every_command
def test_no_flag_means_two_things(words: str, entry: Entry) -> None:
    flags = [f for p in load(entry).parameters for f in p.marker.flags] + ["-L", "--instance", "--json", "--help"]
    assert len(flags) == len(set(flags))


@every_command
def test_help_shows_the_examples(words: str, entry: Entry, cmd: Any) -> None:
    """``--help`` of every command ends with its examples and fits 80 columns but for them."""
    shown = cmd(f"{words} --help")
    assert shown.status == 0
    text, _, examples = shown.out.partition("Examples:")
    assert all(example in examples for example in load(entry).examples)
    assert max(map(len, text.splitlines())) <= 80


def test_root_help_names_every_command(cmd: Any) -> None:
    shown = cmd("--help").out
    assert all(f"  {words.split()[0]} " in shown for words in COMMANDS)
    assert "Exit status" in shown


def test_noun_without_verb_shows_what_there_is(cmd: Any) -> None:
    shown = cmd("agent")
    assert shown.status == 2
    assert "adopt" in shown.err
    assert shown.out == ""


def test_words_are_parsed_into_a_job_and_nothing_is_done() -> None:
    """No peer is there to be asked: parsing alone must not need one."""
    job = drive(parse(["-L", "x", "spawn", "a", "--env", "A=1", "--env", "B=2=3", "--json", "--", "sh", "-c", "true"]))
    assert job.values["env"] == {"A": "1", "B": "2=3"}
    assert job.values["command"] == ("sh", "-c", "true")
    assert job.instance == "x"
    assert job.as_json


@pytest.mark.parametrize("words", ["-L a list", "list -L a", "agent -L a list", "-L b list -L a", "list --instance a"])
def test_instance_may_stand_anywhere_and_the_nearest_counts(words: str) -> None:
    assert drive(parse(words.split())).instance == "a"


@pytest.mark.parametrize("words", ["--json list", "list --json", "agent --json list"])
def test_json_may_stand_anywhere(words: str) -> None:
    assert drive(parse(words.split())).as_json


def test_a_command_that_suspends_without_a_loop_is_a_defect() -> None:
    class Later:
        def __await__(self) -> Any:
            yield

    async def suspends() -> None:
        await Later()

    with pytest.raises(RuntimeError, match="suspended"):
        drive(suspends())


def test_enumerations_take_dashes_for_underscores() -> None:
    job = drive(parse(["message", "list", "--rung", "dead-letter", "--rung", "taken_in"]))
    assert [r.value for r in job.values["rung"]] == ["dead_letter", "taken_in"]


def test_no_command_is_a_click_command_of_its_own() -> None:
    """The declarations know nothing of asyncclick, so that another door can call the same functions."""
    assert not any(isinstance(load(entry), click.Command) for entry in COMMANDS.values())
