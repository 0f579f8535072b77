"""What each command may import, and who brought in what it may not."""

import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from perf.harness.lab import private_environment

FORBIDDEN = frozenset({
    "anyio", "asyncio", "concurrent", "dataclasses", "email", "fastmcp", "json", "libtmux", "logging", "pathlib",
    "multiprocessing", "platformdirs", "rich", "shutil", "sqlite3", "ssl", "subprocess", "tempfile", "tomllib", "trio",
    "urllib",
})  # fmt: skip
"""Each costs a millisecond or a hundred, and no short command needs it."""

COMMANDS: tuple[tuple[str, ...], ...] = (("--help",), ("list", "--json"), ("status", "--json"), ("agent", "info", "x"))

AT_MOST = 170
"""Modules beyond those of `import asyncclick`, our own included, that a command may load."""

TRACE = """
import builtins, sys
seen, real = {}, builtins.__import__
def tracing(name, globals=None, locals=None, fromlist=(), level=0):
    before = set(sys.modules)
    stack.append((globals or {}).get("__name__", "?"))
    try:
        return real(name, globals, locals, fromlist, level)
    finally:
        importer = stack.pop()
        for new in set(sys.modules) - before:
            seen.setdefault(new, importer)
stack = []
builtins.__import__ = tracing
import atexit
atexit.register(lambda: print(*(f"\\n@@{m}@@{w}" for m, w in seen.items()), file=sys.stderr, flush=True))
sys.argv = ["tmux-orc", *sys.argv[1:]]
from tmuxorc.cli import main
main()
"""
"""Notes for every module who asked for it first; inner imports are noted before outer ones."""

LINE = re.compile(r"@@([\w.]+)@@([\w.?]+)")


@dataclass(frozen=True)
class Broken:
    """A command that imports too much."""

    command: str
    how_much: str


def check(python: str) -> list[Broken]:
    """The commands that import what they may not, each with the chain that leads there."""
    with tempfile.TemporaryDirectory(prefix="tp-", dir="/tmp") as folder:
        environment = private_environment(Path(folder))
        _run([python, "-m", "tmuxorc.cli", "daemon", "start"], environment)
        try:
            return [
                Broken("tmux-orc " + " ".join(words), text)
                for words in COMMANDS
                for text in offences(traced(python, words, environment))
            ]
        finally:
            _run([python, "-m", "tmuxorc.cli", "daemon", "stop", "--agents"], environment)
            _run(["tmux", "-N", "-L", "tmuxorc", "kill-server"], environment)


def offences(importers: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with one process's imports."""
    for module in sorted(FORBIDDEN & importers.keys()):
        yield f"imports {module}: {' → '.join(chain(module, importers))}"
    ours = sum(module.startswith("tmuxorc") for module in importers)
    if len(importers) > AT_MOST:
        yield f"imports {len(importers)} modules ({ours} of our own); at most {AT_MOST}"


def chain(module: str, importers: Mapping[str, str]) -> list[str]:
    """Who imported whom, from the program down to `module`."""
    links = [module]
    while (importer := importers.get(links[0])) is not None and importer not in links:
        links.insert(0, importer)
    return [link for link in links if link != "__main__"]


def traced(python: str, words: Sequence[str], environment: Mapping[str, str]) -> dict[str, str]:
    """For every module a command loads, the module that asked for it."""
    return dict(LINE.findall(_run([python, "-c", TRACE, *words], environment)))


def _run(argv: Sequence[str], environment: Mapping[str, str]) -> str:
    """What a process writes to standard error."""
    return subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60, check=False).stderr
