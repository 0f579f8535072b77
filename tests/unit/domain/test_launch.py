"""From a spec to a program: what is refused and how it is said, what is completed, what names a process."""

import os
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.support import Home
from tmuxorc.actors.launch import (
    check_grace,
    check_spec,
    pane_options,
    pane_spec,
    prepared,
    process_marker,
    spec_hash,
)
from tmuxorc.actors.services import Services
from tmuxorc.agents import load_kinds
from tmuxorc.config import Settings
from tmuxorc.errors import ExitStatus, TmuxOrcError, UsageError
from tmuxorc.model import AgentSpec, Restart
from tmuxorc.paths import find_paths


@pytest.fixture
async def services() -> Services:
    await trio.lowlevel.checkpoint()
    paths = find_paths()
    return Services(paths, Settings(), load_kinds(paths.kinds_dir))


def spec(**fields: Any) -> AgentSpec:
    return AgentSpec(**{"name": "a", "command": ("sh", "-c", "true"), "path": "/usr/bin:/bin", **fields})


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"name": ""}, "bad_name", "name"),
    ({"name": "-a"}, "bad_name", "name"),
    ({"name": "a/b"}, "bad_name", "name"),
    ({"name": "a b"}, "bad_name", "name"),
    ({"name": "a\n"}, "bad_name", "name"),
    ({"name": "a" * 300}, "bad_name", "name"),
    ({"name": "\N{ROCKET}"}, "bad_name", "name"),
    ({"team": "no/pe"}, "bad_name", "team"),
    ({"kind": "comand"}, "unknown_kind", "comand"),
    ({"command": ()}, "usage", "no command of its own"),
    ({"command": ("true", "a\0b")}, "usage", "NUL"),
    ({"command": ("",)}, "program_not_found", "''"),
    ({"command": ("no-such-program",)}, "program_not_found", "no-such-program"),
    ({"command": ("./missing",)}, "program_not_found", "/missing"),
    ({"command": ("/etc/passwd",)}, "program_not_found", "/etc/passwd"),
    ({"command": ("/tmp",)}, "program_not_found", "/tmp"),
    ({"cwd": "relative"}, "bad_cwd", "relative"),
    ({"cwd": ""}, "bad_cwd", "absolute"),
    ({"cwd": "/no/such/directory"}, "bad_cwd", "/no/such/directory"),
    ({"cwd": "/etc/passwd"}, "bad_cwd", "not a directory"),
    ({"cwd": "/tmp\0"}, "usage", "NUL"),
    ({"env": {"": "x"}}, "usage", "environment"),
    ({"env": {"A=B": "x"}}, "usage", "A=B"),
    ({"env": {"A": "x\0"}}, "usage", "A"),
    ({"env": {"A": "x" * 100_001}}, "usage", "100002 bytes"),
    ({"path": "/usr/bin\0"}, "usage", "NUL"),
    ({"shutdown_s": -1}, "usage", "-1"),
    ({"shutdown_s": 3601}, "usage", "3601"),
    ({"shutdown_s": float("nan")}, "usage", "nan"),
    ({"brief": "\x1b[2J"}, "message_control", "ESC"),
    ({"brief": "   "}, "message_empty", "empty"),
    ({"brief": "\ud800"}, "message_surrogate", "half a character"),
    ({"restart": Restart.PERMANENT, "significant": True}, "usage", "significant"),
]


@pytest.mark.parametrize(("fields", "code", "word"), REFUSED, ids=lambda value: ascii(value)[:40])
async def test_what_cannot_run_is_refused_with_one_clear_error(
    services: Services, fields: dict[str, Any], code: str, word: str
) -> None:
    with pytest.raises(TmuxOrcError) as refused:
        check_spec(spec(**fields), services)
    assert refused.value.code == code
    assert word in refused.value.message
    assert refused.value.exit_status in (ExitStatus.USAGE, ExitStatus.NOT_FOUND, ExitStatus.REFUSED)


async def test_a_relative_path_is_searched_from_the_agents_directory(services: Services, home: Home) -> None:
    """Where the program itself would look, and not where the supervisor happens to be."""
    tool = home.root / "tools" / "tool"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    there = check_spec(spec(command=("tool",), path="/usr/bin:tools", cwd=str(home.root)), services)
    assert pane_spec(services, there, 1, prepared(services, there)).argv[0] == str(tool)
    with pytest.raises(TmuxOrcError):
        check_spec(spec(command=("tool",), path="/usr/bin:tools", cwd="/"), services)


async def test_a_missing_program_is_told_with_the_path_that_was_searched(services: Services) -> None:
    with pytest.raises(TmuxOrcError) as missing:
        check_spec(spec(command=("nothing-here",), path="/usr/bin:/opt/tools"), services)
    assert missing.value.details == {"program": "nothing-here", "path": ["/usr/bin", "/opt/tools"]}
    assert "/usr/bin:/opt/tools" in missing.value.hint


async def test_a_directory_that_may_not_be_entered_is_refused(services: Services, home: Home) -> None:
    closed = home.root / "closed"
    closed.mkdir(mode=0o600)
    if os.geteuid() != 0:
        with pytest.raises(TmuxOrcError, match="no permission"):
            check_spec(spec(cwd=str(closed)), services)


async def test_what_was_left_out_is_completed(services: Services) -> None:
    assert check_spec(spec(path="", command=("/bin/sh",)), services).path == os.defpath
    demo = check_spec(spec(kind="demo", command=()), services)
    assert demo.command[1:] == ("-I", "-m", "tmuxorc.agents.demo")
    given = spec(kind="demo", command=("/bin/sh",))
    assert check_spec(given, services) == given


async def test_a_program_in_the_working_directory_is_found_from_there(services: Services, home: Home) -> None:
    tool = home.root / "tool"
    tool.symlink_to("/bin/sh")
    there = check_spec(spec(command=("./tool",), cwd=str(home.root)), services)
    assert pane_spec(services, there, 1, prepared(services, there)).argv[0] == f"{home.root}/./tool"


@pytest.mark.parametrize("seconds", [None, 0, 0.5, 3600])
def test_a_time_to_end_that_somebody_can_mean(seconds: float | None) -> None:
    check_grace(seconds)


@pytest.mark.parametrize("seconds", [-0.1, 3600.1, float("inf"), float("nan")])
def test_a_time_to_end_that_nobody_can_mean(seconds: float) -> None:
    with pytest.raises(UsageError):
        check_grace(seconds)


SAME: list[dict[str, Any]] = [
    {"path": "/opt"},
    {"brief": "go"},
    {"role": "x"},
    {"restart": Restart.TEMPORARY},
    {"shutdown_s": 1.0},
    {"significant": True},
    {"env": {"B": "2", "A": "1"}},
]
OTHER: list[dict[str, Any]] = [
    {"command": ("sh", "-c", "false")},
    {"command": ("sh -c true",)},
    {"kind": "shell"},
    {"cwd": "/tmp"},
    {"env": {"A": "1"}},
    {"env": {"A": "1", "B": "3"}},
    {"env": {"AB": "12"}},
]


def test_the_hash_names_what_the_process_was_started_as_and_nothing_else() -> None:
    plain = {"env": {"A": "1", "B": "2"}}
    first = spec_hash(spec(**plain))
    assert {spec_hash(spec(**{**plain, **change})) for change in SAME} == {first}
    others = [spec_hash(spec(**{**plain, **change})) for change in OTHER]
    assert len({first, *others}) == len(OTHER) + 1


async def test_the_pane_gets_the_program_its_variables_and_our_marks(services: Services) -> None:
    services.inherited = ("TMUX", "CLAUDECODE", "TMUX_ORC_AGENT", "HOME")
    wanted = spec(env={"COLOUR": "dark", "TMUX_ORC_AGENT": "forged", "PATH": "/forged"})
    pane = pane_spec(services, wanted, 3, prepared(services, wanted))
    assert Path(pane.argv[0]).name == "sh"
    assert pane.argv[1:] == ("-c", "true")
    assert (pane.env["COLOUR"], pane.env["PATH"], pane.env["TMUX_ORC_AGENT"]) == ("dark", "/usr/bin:/bin", "main/a")
    assert pane.env["TMUX_ORC_INSTANCE"] == "default"
    name, value = process_marker(services, wanted.address)
    assert pane.env[name] == value
    assert "CLAUDECODE" in pane.unset
    assert not {"TMUX_ORC_AGENT", "HOME"} & set(pane.unset)
    assert pane.options == pane_options(services, wanted, 3)
    assert pane.options == {"agent": "main/a", "generation": "3", "spec": spec_hash(wanted), "since": ""}


async def test_the_same_address_in_another_instance_is_somebody_else(services: Services) -> None:
    paths = find_paths("second")
    second = Services(paths, Settings(), load_kinds(paths.kinds_dir))
    assert process_marker(services, "main/a") != process_marker(second, "main/a")
