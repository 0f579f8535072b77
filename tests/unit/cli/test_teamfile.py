"""The team file: what it says becomes specs, and what it says wrong is one clear error."""

from pathlib import Path
from typing import Any

import pytest

from tests.support import Home
from tmuxorc.cli._teamfile import read_team
from tmuxorc.errors import ConfigError, TmuxOrcError
from tmuxorc.model import AgentSpec, AutoShutdown, Restart, Strategy, TeamSpec

WHOLE = """
[team]
name = "review"
strategy = "rest_for_one"
intensity = 3
period_s = 30
auto_shutdown = "any_significant"

[defaults]
kind = "demo"
cwd = "work"
env = { A = "1", B = "1" }
brief = "Be kind."
restart = "permanent"

[[agent]]
name = "lead"
role = "lead"
significant = true
env = { B = "2" }
brief_file = "briefs/lead.md"
shutdown_s = 1.5

[[agent]]
name = "shell"
kind = "command"
command = ["sh", "-c", "exec cat"]
cwd = "/"
restart = "temporary"
"""


@pytest.fixture
def file(home: Home) -> Path:
    """Where a test writes its team file."""
    (home.root / "briefs").mkdir()
    (home.root / "briefs/lead.md").write_text("Lead.\n")
    return home.root / "team.toml"


def read(file: Path, text: str) -> Any:
    """The request that this text stands for."""
    file.write_text(text)
    return read_team(str(file), cwd="/", search_path="/bin", dry_run=False)


def test_everything_a_file_can_say(file: Path) -> None:
    """Agents take the defaults they do not override, and paths are relative to the file."""
    asked = read(file, WHOLE)
    assert asked.spec == TeamSpec(
        name="review",
        strategy=Strategy.REST_FOR_ONE,
        intensity=3,
        period_s=30.0,
        auto_shutdown=AutoShutdown.ANY_SIGNIFICANT,
    )
    assert asked.agents == (
        AgentSpec(
            name="lead",
            team="review",
            kind="demo",
            cwd=str(file.parent / "work"),
            env={"A": "1", "B": "2"},
            path="/bin",
            brief="Lead.",
            role="lead",
            restart=Restart.PERMANENT,
            shutdown_s=1.5,
            significant=True,
        ),
        AgentSpec(
            name="shell",
            team="review",
            kind="command",
            command=("sh", "-c", "exec cat"),
            cwd="/",
            env={"A": "1", "B": "1"},
            path="/bin",
            brief="Be kind.",
            restart=Restart.TEMPORARY,
        ),
    )


def test_what_is_not_said_is_the_specs_own_default(file: Path) -> None:
    asked = read(file, '[team]\nname = "a"\n[[agent]]\nname = "x"\n')
    assert asked.spec == TeamSpec(name="a")
    assert asked.agents == (AgentSpec(name="x", team="a", cwd=str(file.parent), path="/bin"),)


def test_a_team_may_be_empty(file: Path) -> None:
    assert read(file, '[team]\nname = "a"\n').agents == ()


def test_a_relative_file_is_found_from_the_callers_directory(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text('[team]\nname = "a"\n[[agent]]\nname = "x"\n')
    monkeypatch.chdir(file.parent)
    asked = read_team(file.name, cwd=str(file.parent), search_path="", dry_run=True)
    assert asked.agents[0].cwd == str(file.parent)
    assert asked.dry_run


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        ('[team]\nnmae = "a"\n', "team.nmae", "did you mean 'team.name'"),
        ('[team]\nname = "a"\n[[agent]]\nname = "x"\nkidn = "demo"\n', "agent[0].kidn", "kind"),
        ('[team]\nname = "a"\n[[agents]]\nname = "x"\n', "agents", "did you mean 'agent'"),
        ('[team]\nname = "a"\nstrategy = "one_for_two"\n', "team.strategy", "one_for_all"),
        ('[team]\nname = "a"\n[[agent]]\nname = "x"\ncommand = "make"\n', "agent[0].command", "array"),
        ('[team]\nname = "a b"\n', "team.name", "it contains ' '"),
        ('[team]\nname = "a"\n[[agent]]\nname = "x/y"\n', "agent[0].name", "it contains '/'"),
        ('[team]\nname = "a"\n[[agent]]\nname = "x"\n[[agent]]\nname = "x"\n', "agent[1].name", "two agents"),
        ('[team]\nname = "a"\n[[agent]]\nname="x"\nbrief="a"\nbrief_file="b"\n', "agent[0].brief_file", "both"),
        ("[team]\n", "team", "name"),
    ],
)
def test_errors_name_the_file_and_the_key(file: Path, text: str, key: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(file, text)
    error = caught.value
    assert str(file) in error.message
    assert error.details["key"] == key
    assert said in f"{error.message} {error.hint}"
    assert error.exit_status == 2


@pytest.mark.parametrize(
    "text", ["[team", "", 'name = "a"', '[team]\nname = "a"\n[[agent]]\nname="x"\nbrief_file="no"\n']
)
def test_files_that_are_none(file: Path, text: str) -> None:
    with pytest.raises(TmuxOrcError) as caught:
        read(file, text)
    assert str(file.parent) in caught.value.message
