"""``tmux-orc agent kinds``: what is installed, in which version, and what to do about it."""

from pathlib import Path
from typing import Any

import pytest

from tests.support import Home
from tmuxorc.cli._kinds import Seen, find_version, judge
from tmuxorc.paths import find_paths

FILE = """
summary = "made up"
seen_on = "nothing"
state_from = "process"
stop = []
command = ["{program}"]
version = ["--version"]
versions = ["1.9.0", "1.10.2"]
install = "npm install -g made-up"
[launch]
channel = "codex"
[deliver]
when = []
verify = "echo"
"""


@pytest.fixture
def kind(home: Home, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes a kind of the person's own, and a program that answers as told; only those are on PATH."""
    folder = Path(find_paths().kinds_dir)
    folder.mkdir(parents=True)
    monkeypatch.setenv("PATH", f"{home.programs}:/usr/bin:/bin")

    def make(name: str, script: str | None) -> None:
        (folder / f"{name}.toml").write_text(FILE.replace("{program}", f"{name}-program"))
        if script is not None:
            program = home.programs / f"{name}-program"
            program.write_text(f"#!/bin/sh\n{script}\n")
            program.chmod(0o755)

    return make


def found(cmd: Any, name: str, *options: str) -> dict[str, Any]:
    """That kind in the list."""
    kinds = {kind["name"]: kind for kind in cmd("agent", "kinds", "--json", *options).json["kinds"]}
    assert {"demo", "command", "shell"} <= kinds.keys()
    return kinds[name]


@pytest.mark.parametrize(
    ("says", "version", "seen", "warns"),
    [
        ("echo 'made up v1.10.2 (abc)'", "1.10.2", "known", ""),
        ("echo 1.11.0", "1.11.0", "newer", "never seen"),
        ("echo 1.9.5-beta.1 >&2", "1.9.5-beta.1", "other", "not proved"),
        ("echo no idea; exit 3", "", "unread", "did not say"),
        ("exit 0", "", "unread", "did not say"),
    ],
)
def test_the_version_found_against_those_known(
    says: str, version: str, seen: str, warns: str, cmd: Any, kind: Any
) -> None:
    kind("mine", says)
    it = found(cmd, "mine")
    assert (it["installed"], it["version"], it["seen"], it["channel"]) == (True, version, seen, "codex")
    assert (warns in it["warning"]) if warns else it["warning"] == ""
    assert it["install"] == ""
    assert it["known"] == ["1.9.0", "1.10.2"]


def test_one_that_is_missing_says_how_to_get_it(cmd: Any, kind: Any) -> None:
    kind("mine", None)
    it = found(cmd, "mine")
    assert (it["installed"], it["install"], it["warning"]) == (False, "npm install -g made-up", "")
    shown = cmd("agent kinds").out
    assert "mine: get it with: npm install -g made-up" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_nothing_is_run_when_asked_not_to(cmd: Any, kind: Any, home: Home) -> None:
    kind("mine", f"touch {home.root}/ran")
    it = found(cmd, "mine", "--no-versions")
    assert (it["installed"], it["seen"], it["warning"]) == (True, "unread", "")
    assert not (home.root / "ran").exists()


def test_one_that_hangs_is_ended_with_what_it_started(
    cmd: Any, kind: Any, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the others are told of; the gate behind every test finds what would be left."""
    monkeypatch.setattr("tmuxorc.cli.kinds.PATIENCE_S", 0.3)
    kind("hangs", "sleep 60 & sleep 60")
    kind("quick", "echo 1.9.0")
    assert found(cmd, "quick")["seen"] == "known"
    assert found(cmd, "hangs")["warning"] == "it did not say its version"


def test_a_program_that_cannot_be_run_is_one_without_a_version(cmd: Any, kind: Any, home: Home) -> None:
    kind("mine", "")
    (home.programs / "mine-program").write_bytes(b"\x7fELF nonsense")
    assert found(cmd, "mine")["seen"] == "unread"


def test_kinds_without_a_program_of_their_own(cmd: Any) -> None:
    assert found(cmd, "command", "--no-versions")["installed"] is None
    assert found(cmd, "demo", "--no-versions")["installed"] is True


def test_doctor_names_what_is_there_and_what_is_not(cmd: Any, kind: Any, home: Home) -> None:
    """In one line, without running any."""
    kind("mine", f"touch {home.root}/ran")
    kind("other", None)
    line = next(line for line in cmd("doctor").out.splitlines() if line.startswith("ok    agents"))
    installed, missing = line.split("not found:")
    assert "mine" in installed
    assert "other" in missing
    assert not (home.root / "ran").exists()


def test_versions_are_compared_by_their_numbers() -> None:
    assert judge("1.10.0", ("1.9.9",)) is Seen.NEWER
    assert judge("1.9.0", ("1.9", "1.8")) is Seen.NEWER
    assert judge("1.8.5", ("1.9.9", "1.8.0")) is Seen.OTHER
    assert judge("1.8.0", ()) is Seen.UNREAD


@pytest.mark.parametrize(
    ("said", "version"),
    [("codex-cli 0.169.0\n", "0.169.0"), ("2.1.331 (Claude Code)", "2.1.331"), ("aider 0.86.2.dev1", "0.86.2"),
        ("v22.1.0", "22.1.0"), ("in 2026", ""), ("1.0.0-rc.1+b", "1.0.0-rc.1")],
)  # fmt: skip
def test_a_version_is_found_in_what_is_printed(said: str, version: str) -> None:
    assert find_version(said) == version
