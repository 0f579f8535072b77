"""Which agent programs are installed, and in which versions: looked up on PATH and asked of themselves, all at once."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping
from enum import Enum

from tmuxorc.agents.kinds import Kind
from tmuxorc.model import Frozen
from tmuxorc.nesting import is_marker

PATIENCE_S = 20.0
"""How long a program may take to print its version; some need several seconds."""

_VERSION = re.compile(r"(?<![\w.])v?(\d+(?:\.\d+)+)(?:[-+][0-9A-Za-z.-]+)?")
_PLACEHOLDER = re.compile(r"\{\w+\}")


class Seen(str, Enum):
    """What is known of the version that was found."""

    KNOWN = "known"
    """The rules were proved on it."""
    NEWER = "newer"
    """Newer than any that the rules were proved on."""
    OTHER = "other"
    """Older, or between those."""
    UNREAD = "unread"
    """Not asked for, or not told."""


class KindView(Frozen):
    """One kind: `program` is its command's first word, `path` where that was found, `known` the versions known.

    `installed` is None for a kind that has no program of its own.
    """

    name: str
    summary: str
    program: str
    installed: bool | None
    path: str
    version: str
    known: tuple[str, ...]
    seen: Seen
    warning: str
    install: str
    channel: str


class KindList(Frozen):
    """All kinds, by name."""

    kinds: tuple[KindView, ...]


def view_kinds(
    kinds: Mapping[str, Kind], search_path: str, *, versions: bool, patience_s: float = PATIENCE_S
) -> KindList:
    """Look for each kind's program on `search_path`; with `versions`, run those found, side by side."""
    paths = {name: _path(kind, search_path) for name, kind in kinds.items()}
    asked = {name: (paths[name], *kind.version) for name, kind in kinds.items() if paths[name] and kind.version}
    said = ask_all(asked, search_path, patience_s) if versions else {}
    return KindList(kinds=tuple(_view(kinds[name], paths[name], said.get(name)) for name in sorted(kinds)))


def _path(kind: Kind, search_path: str) -> str:
    if not kind.command:
        return ""
    program = kind.argv(os.environ)[0]
    return shutil.which(program, path=search_path) or ""


def _view(kind: Kind, path: str, said: str | None) -> KindView:
    version = find_version(said or "")
    seen = judge(version, kind.versions)
    return KindView(
        name=kind.name,
        summary=kind.summary,
        program=kind.command[0] if kind.command else "",
        installed=bool(path) if kind.command else None,
        path=path,
        version=version,
        known=kind.versions,
        seen=seen,
        warning=_warning(kind, seen, version, said),
        install="" if path else kind.install,
        channel=kind.launch.channel,
    )


def _warning(kind: Kind, seen: Seen, version: str, said: str | None) -> str:
    known = ", ".join(kind.versions)
    if seen is Seen.NEWER:
        return f"{version} was never seen here; the rules were proved on {known}"
    if seen is Seen.OTHER:
        return f"the rules were not proved on {version}, but on {known}"
    if said is not None and not version:
        return f"it did not say its version: {said.strip()[:60]!a}" if said.strip() else "it did not say its version"
    return ""


def find_version(said: str) -> str:
    """The first version in what a program printed; empty if there is none."""
    found = _VERSION.search(said)
    return found[0].removeprefix("v") if found else ""


def judge(version: str, known: tuple[str, ...]) -> Seen:
    """What is known of `version`."""
    if not version or not known:
        return Seen.UNREAD
    if version in known:
        return Seen.KNOWN
    return Seen.NEWER if all(_numbers(version) > _numbers(each) for each in known) else Seen.OTHER


def _numbers(version: str) -> tuple[int, ...]:
    release = re.split(r"[-+]", version, maxsplit=1)[0]
    return tuple(int(number) for number in re.findall(r"\d+", release))


def ask_all(commands: Mapping[str, tuple[str, ...]], search_path: str, patience_s: float) -> dict[str, str]:
    """Run commands side by side and return what each printed; nothing of one that is not done in `patience_s`."""
    env = {name: value for name, value in os.environ.items() if not is_marker(name)} | {"PATH": search_path}
    until = time.monotonic() + patience_s
    running = {name: _start(argv, env) for name, argv in commands.items()}
    return {name: _answer(process, until) for name, process in running.items()}


def _start(argv: tuple[str, ...], env: dict[str, str]) -> subprocess.Popen[bytes] | None:
    try:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=env,
            start_new_session=True,  # what it starts ends with it, and no Ctrl-C of the person's tears it apart
        )
    except OSError:
        return None


def _answer(process: subprocess.Popen[bytes] | None, until: float) -> str:
    if process is None:
        return ""
    try:
        said, _ = process.communicate(timeout=max(0.05, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        _end(process)
        return ""
    except BaseException:
        _end(process)
        raise
    return said.decode(errors="replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    if process.stdout is not None:
        process.stdout.close()
    process.wait()


def in_words(kinds: Iterable[KindView]) -> str:
    """A line on which real programs are there."""
    own = [kind for kind in kinds if kind.program and not _PLACEHOLDER.match(kind.program)]
    there = [kind.name for kind in own if kind.installed]
    missing = [kind.name for kind in own if not kind.installed]
    said = [f"installed: {', '.join(there)}" if there else "none installed"]
    return "; ".join([*said, *([f"not found: {', '.join(missing)}"] if missing else [])])
