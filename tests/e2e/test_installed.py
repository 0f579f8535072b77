"""The package as a person gets it: built, installed into an environment of its own, and run from there.

What an editable install never shows: data files left out of the wheel, a module found only in the checkout.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import Home, find_test_tmux

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of the programs of an environment that has the built wheel and what it depends on."""
    base = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--quiet"]
    run(*pip, "wheel", "--no-deps", "--wheel-dir", base / "wheels", ROOT)
    run(sys.executable, "-m", "venv", "--without-pip", base / "venv")
    python = base / "venv" / "bin" / "python"
    (wheel,) = (base / "wheels").glob("tmuxorc-*.whl")
    run(*pip, "--python", python, "install", wheel)
    return python.parent


def run(*command: object, cwd: Path | None = None) -> str:
    """What the command printed; its own words if it fails."""
    done = subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_everything_comes_from_the_wheel(programs: Path, home: Home) -> None:
    where = run(programs / "python", "-c", "import tmuxorc; print(tmuxorc.__file__)", cwd=home.root)
    assert where.startswith(str(programs.parent))
    assert "py.typed" in run("ls", Path(where.strip()).parent)


def test_the_demo_runs(programs: Path, home: Home) -> None:
    """All five scenes, the kinds' data files and the demo agent among what they need."""
    find_test_tmux()
    shown = run(programs / "tmux-orc", "demo", cwd=home.root)
    assert "left   nothing" in shown


def test_help_names_no_path_of_the_checkout(programs: Path, home: Home) -> None:
    assert str(ROOT) not in run(programs / "tmux-orc", "reflect", cwd=home.root)
