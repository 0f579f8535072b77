"""Every command line in the hand-written documentation is one that the program understands."""

import io
import re
import shlex
from pathlib import Path

import pytest

from tests.support import Home
from tests.unit.cli.test_tree import shell_words
from tmuxorc.cli._group import parse
from tmuxorc.cli._main import drive

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted(page for page in (ROOT / "docs").rglob("*.md") if page.name != "cli.md")]
FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINE = re.compile(r"^(?:\$ )?((?:.*\| )?(?:\w+=\w+ )?tmux-orc (?!\[|COMMAND).*)$", re.MULTILINE)


def lines_of(page: Path) -> list[str]:
    """The lines of the page's shell blocks that call the program."""
    blocks = (block for language, block in FENCED.findall(page.read_text()) if language in ("", "sh", "console"))
    return [line for block in blocks for line in LINE.findall(block)]


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_what_the_documentation_says_can_be_typed(page: Path, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines with placeholders in brackets are left out."""
    monkeypatch.chdir(home.root)
    (home.root / "brief.md").write_text("text")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"text")))
    for line in lines_of(page):
        if "[" not in line and "…" not in line and "$(" not in line:
            assert shlex.split(line, comments=True)
            drive(parse(shell_words(line)))


def test_there_are_lines_to_look_at() -> None:
    assert sum(len(lines_of(page)) for page in PAGES) > 60
