"""The set-up script: it runs or says what is missing, on whatever Python and PATH it meets."""

import ast
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[3] / "tools" / "setup.py"


@pytest.fixture
def script() -> dict[str, Any]:
    return runpy.run_path(str(SCRIPT))


def run(*arguments: str, path: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": path}
    return subprocess.run(
        [sys.executable, SCRIPT, *arguments], env=environment, capture_output=True, text=True, timeout=30, check=False
    )


def program(path: Path, body: str) -> Path:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def test_an_old_python_gets_as_far_as_the_version_check() -> None:
    ast.parse(SCRIPT.read_text(), feature_version=(3, 6))


@pytest.mark.parametrize("command", ["demo", "test"])
def test_without_tmux_it_says_how_to_get_it_and_stops(command: str, tmp_path: Path) -> None:
    done = run(command, path=str(tmp_path))
    assert done.returncode == 1
    for manager in ("apt-get", "dnf", "pacman", "brew"):
        assert f"{manager} " in done.stderr


def test_a_wrong_command_is_answered_with_the_usage(tmp_path: Path) -> None:
    done = run("dmeo", path=str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: python3 tools/setup.py COMMAND")


def test_a_shim_that_runs_nothing_is_no_python(script: dict[str, Any], tmp_path: Path) -> None:
    shim = program(tmp_path / "python3.12", "echo 'pyenv: python3.12: command not found' >&2; exit 127")
    assert not script["wanted"](str(shim))
    assert script["wanted"](sys.executable)
    assert not script["wanted"](str(tmp_path / "missing"))


def test_a_newer_python_on_the_path_takes_over_from_an_old_one(
    script: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program(tmp_path / "python3.13", "exit 127")
    newer = program(tmp_path / "python3.12", "exit 0")
    became: list[tuple[str, list[str]]] = []
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setattr(sys, "version_info", (3, 8, 18))
    monkeypatch.setattr(sys, "argv", ["tools/setup.py", "test"])
    monkeypatch.setattr(os, "execv", lambda path, argv: became.append((path, argv)))
    script["use_a_new_python"]()
    assert became == [(str(newer), [str(newer), "tools/setup.py", "test"])]
    assert f"using {newer} instead" in capsys.readouterr().err


def test_an_old_python_alone_is_told_what_is_needed(
    script: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setattr(sys, "version_info", (3, 8, 18))
    with pytest.raises(SystemExit):
        script["use_a_new_python"]()
    assert "3.11 or newer is needed" in capsys.readouterr().err
