"""Hold the documentation to the code: generated references, commands shown on pages, and links between pages.

``python tools/check_docs.py`` checks; with ``--write`` it writes the generated references first.
"""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tmuxorc import config

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^(```|~~~)(\w*)\n(.*?)^\1", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(tmux-orc [^`]+)`")
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
COMMAND_END = re.compile(r"[|;&<>)]|--$")
GLOBAL_OPTIONS = {"-L", "--instance", "--json", "--help", "--version"}
MEND = "mend it with: nox -s docs -- --write"

Commands = dict[tuple[str, ...], set[str]]
"""The options of every command, by its words."""


def reflect(form: str) -> str:
    """Ask the commands themselves, as a whole process."""
    asked = [str(Path(sys.executable).parent / "tmux-orc"), "reflect", "--format", form]
    return subprocess.run(asked, stdout=subprocess.PIPE, text=True, check=True).stdout


REFERENCES: dict[str, Callable[[], str]] = {
    "docs/reference/cli.md": lambda: reflect("markdown"),
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


def pages() -> dict[Path, str]:
    """Every page a reader may come to, with its text."""
    paths = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
    return {path: path.read_text(encoding="utf-8") for path in paths}


def broken_links() -> Iterator[str]:
    """Name each relative link to a file or heading that is not there."""
    for page, text in pages().items():
        for target in LINK.findall(FENCE.sub("", text)):
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


def known_commands() -> Commands:
    """What `tmux-orc reflect` says there is."""
    commands = json.loads(reflect("json"))["commands"]
    return {
        tuple(command["command"].split()): {flag for parameter in command["parameters"] for flag in parameter["flags"]}
        for command in commands
    }


def wrong_commands() -> Iterator[str]:
    """Name each command shown on a page that does not exist, or not with that option."""
    commands = known_commands()
    for page, text in pages().items():
        for line in shown_commands(text):
            problem = misuse(words_of(line), commands)
            if problem:
                yield f"{page.relative_to(ROOT)}: {problem} in: {line}"


def shown_commands(text: str) -> Iterator[str]:
    """Every ``tmux-orc …`` in shell examples and in the running text, up to the end of its line."""
    for _, language, block in FENCE.findall(text):
        if language in ("sh", "console", "bash"):
            yield from re.findall(r"(?:^|[ (])(tmux-orc(?: .*)?)$", block, re.MULTILINE)
    yield from INLINE.findall(FENCE.sub("", text))


def words_of(line: str) -> list[str]:
    """The words of one command behind the program's name, up to what belongs to the shell or to another program."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|;&<>()")
    lexer.whitespace_split = True
    try:
        words = list(lexer)[1:]
    except ValueError:  # the quote was opened before the command, as in eval "$(tmux-orc …)"
        words = re.split(r"\s+|(?=\))", line)[1:]
    end = next((at for at, word in enumerate(words) if COMMAND_END.match(word)), len(words))
    return words[:end]


def misuse(words: list[str], commands: Commands) -> str:
    """What is wrong with a command, or nothing; words in capitals stand for something."""
    if words[:1] == ["-L"]:
        words = words[2:]
    if not words or words[0].isupper() or words[0] in GLOBAL_OPTIONS or is_noun(words, commands):
        return ""
    found = next((known for known in (tuple(words[:2]), tuple(words[:1])) if known in commands), None)
    if found is None:
        return f"no command '{' '.join(words[:2])}'"
    options = {word.partition("=")[0] for word in words[len(found) :] if re.match(r"--?[A-Za-z]", word)}
    unknown = options - commands[found] - GLOBAL_OPTIONS
    return f"no option {', '.join(sorted(unknown))}" if unknown else ""


def is_noun(words: list[str], commands: Commands) -> bool:
    """Whether a noun stands alone, or with several of its verbs (``message list|show``)."""
    return all(word == "…" for word in words[1:]) and any(known[0] == words[0] for known in commands)


def main() -> int:
    """Print what is wrong and return the exit status."""
    problems = [*stale_references(write="--write" in sys.argv[1:]), *wrong_commands(), *broken_links()]
    print(*problems, sep="\n", end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
