"""Hold the documentation to the code: generated references are what the code says, and links lead somewhere.

``python tools/check_docs.py`` checks; with ``--write`` it writes the generated references first.
"""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tmuxorc import config

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
MEND = "mend it with: nox -s docs -- --write"


def cli_reference() -> str:
    """Ask the commands themselves, as a whole process."""
    program = Path(sys.executable).parent / "tmux-orc"
    return subprocess.run(
        [program, "reflect", "--format", "markdown"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout


REFERENCES: dict[str, Callable[[], str]] = {
    "docs/reference/cli.md": cli_reference,
    "docs/reference/config.md": config.reference,
}


def stale_references(*, write: bool) -> Iterator[str]:
    """Name each generated page that does not say what the code says."""
    for name, generate in REFERENCES.items():
        page, wanted = ROOT / name, generate()
        if write:
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(wanted, encoding="utf-8")
        if not page.exists() or page.read_text(encoding="utf-8") != wanted:
            yield f"{name} is not what the code says; {MEND}"


def pages() -> list[Path]:
    """Every page a reader may come to."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def broken_links() -> Iterator[str]:
    """Name each relative link to a file or heading that is not there."""
    for page in pages():
        for target in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
            if not re.match(r"[a-z]+:", target) and not leads_somewhere(page, target):
                yield f"{page.relative_to(ROOT)}: nothing is at {target}"


def leads_somewhere(page: Path, target: str) -> bool:
    """Whether a link on `page` meets a file and, with ``#``, a heading in it."""
    path, _, anchor = target.partition("#")
    goal = (page.parent / path) if path else page
    return goal.exists() and (not anchor or anchor in anchors(goal))


def anchors(page: Path) -> set[str]:
    """The names that code hosts give to the headings of a page."""
    headings = HEADING.findall(FENCE.sub("", page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def main() -> int:
    """Print what is wrong and return the exit status."""
    problems = [*stale_references(write="--write" in sys.argv[1:]), *broken_links()]
    print(*problems, sep="\n", end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
