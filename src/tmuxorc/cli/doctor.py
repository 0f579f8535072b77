"""The check-up: everything a supervisor needs, whether it is there, and how to mend it.  Needs no supervisor."""

import os
import platform
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from typing import Literal

import msgspec

from tmuxorc import __version__
from tmuxorc.cli._app import App
from tmuxorc.cli._declare import command
from tmuxorc.cli.render._text import many
from tmuxorc.config import Settings, load_settings
from tmuxorc.errors import ExitStatus, TimedOutError, TmuxOrcError, UnreachableError
from tmuxorc.model import Frozen
from tmuxorc.paths import Paths, check_private, tmux_socket
from tmuxorc.wire.methods import DAEMON_STATUS, Empty

ENOUGH_BYTES = 50_000_000
"""Less free space than this and a journal may soon not be written."""


class Check(Frozen):
    """One thing looked at; `remedy` says what to do unless all is well."""

    name: str
    status: Literal["ok", "note", "bad"]
    detail: str
    remedy: str = ""


class Health(Frozen):
    """All checks; `healthy` is False if any is bad."""

    healthy: bool
    checks: tuple[Check, ...]


def health_status(result: Health) -> int:
    """Failed when anything is bad."""
    return ExitStatus.DONE if result.healthy else ExitStatus.FAILED


@command("tmux-orc doctor", "tmux-orc doctor --json | jq '.checks[] | select(.status != \"ok\")'", status=health_status)
async def doctor(app: App) -> Health:
    """Check the installation and say how to mend it.

    tmux and its version, the configuration, directories and their permissions, sockets, the journal, stale state.
    Ends with status 1 if anything is wrong.
    """
    checks = tuple(msgspec.structs.replace(check, remedy=app.naming(check.remedy)) for check in _examine(app))
    return Health(healthy=all(check.status != "bad" for check in checks), checks=checks)


def _examine(app: App) -> Iterator[Check]:
    yield _ok("python", f"{platform.python_version()} at {sys.executable}, tmux-orc {__version__}")
    yield _attempt("locale", _locale)
    try:
        paths = app.paths
    except TmuxOrcError as error:
        yield _bad("directories", error)
        return
    settings, check = _configuration(paths)
    yield check
    yield _attempt("tmux", lambda: _tmux(settings))
    yield _attempt("state directory", lambda: _state_directory(paths))
    yield _attempt("runtime directory", lambda: _runtime_directory(paths))
    yield _attempt("agents", lambda: _agents(app, paths))
    yield _attempt("supervisor", lambda: _supervisor(app, paths))
    yield _attempt("journal", lambda: _journal(paths))
    yield _attempt("tmux server", lambda: _tmux_server(app, settings))


def _attempt(name: str, look: Callable[[], Check]) -> Check:
    """A check that fails in a way it did not foresee is itself a finding."""
    try:
        return look()
    except TmuxOrcError as error:
        return _bad(name, error)
    except OSError as error:
        return Check(name=name, status="bad", detail=str(error), remedy="make it readable and writable for you")


def _ok(name: str, detail: str) -> Check:
    return Check(name=name, status="ok", detail=detail)


def _bad(name: str, error: TmuxOrcError) -> Check:
    return Check(name=name, status="bad", detail=error.message, remedy=error.hint or "see: tmux-orc daemon logs")


def _locale() -> Check:
    import codecs

    encoding = codecs.lookup(sys.stdout.encoding or "ascii").name
    if encoding == "utf-8":
        return _ok("locale", encoding)
    remedy = "set LC_ALL or LANG to a UTF-8 locale, such as C.UTF-8"
    return Check(name="locale", status="note", detail=f"{encoding}: some characters cannot be shown", remedy=remedy)


def _configuration(paths: Paths) -> tuple[Settings, Check]:
    path = paths.config_file
    try:
        settings = load_settings(path)
    except TmuxOrcError as error:
        return Settings(), _bad("configuration", error)
    there = os.path.exists(path)
    return settings, _ok("configuration", path if there else f"{path} (none: all defaults)")


def _tmux(settings: Settings) -> Check:
    from tmuxorc.tmux import find_tmux

    found = find_tmux(settings.tmux.binary)
    return _ok("tmux", f"{found.version} at {found.path}")


def _state_directory(paths: Paths) -> Check:
    name, directory = "state directory", _existing(paths.state_dir)
    if not os.access(directory, os.W_OK | os.X_OK):
        detail = f"{directory} cannot be written"
        return Check(name=name, status="bad", detail=detail, remedy=f"chmod u+rwx {directory}, or set XDG_STATE_HOME")
    free = shutil.disk_usage(directory).free
    if free < ENOUGH_BYTES:
        detail = f"{directory} has {free / 1e6:.0f} MB left"
        return Check(name=name, status="bad", detail=detail, remedy="make room on that disk")
    return _ok(name, f"{paths.state_dir}, {free / 1e9:.1f} GB free")


def _existing(path: str) -> str:
    """The path, or the nearest directory above it that is there and in which it would be made."""
    while not os.path.exists(path):
        path = os.path.dirname(path)
    return path


def _runtime_directory(paths: Paths) -> Check:
    for directory in (os.path.dirname(paths.runtime_dir), paths.runtime_dir):
        if not os.path.exists(directory):
            return _ok("runtime directory", f"{paths.runtime_dir} (made when needed)")
        check_private(directory)
    return _ok("runtime directory", paths.runtime_dir)


def _agents(app: App, paths: Paths) -> Check:
    """Which agent programs are there; none is run for it, and none is needed."""
    from tmuxorc.agents.kinds import load_kinds
    from tmuxorc.cli._kinds import in_words, view_kinds

    found = view_kinds(load_kinds(paths.kinds_dir), app.search_path, versions=False)
    return _ok("agents", f"{in_words(found.kinds)}; versions: tmux-orc agent kinds")


def _supervisor(app: App, paths: Paths) -> Check:
    try:
        status = app.ask(DAEMON_STATUS, Empty(), timeout_s=5)
    except (TimedOutError, UnreachableError) as error:
        return _no_supervisor(paths, error)
    if status.version != __version__:
        detail = f"pid {status.pid} is version {status.version}, this is {__version__}"
        return Check(name="supervisor", status="note", detail=detail, remedy="tmux-orc daemon restart")
    return _ok("supervisor", f"pid {status.pid} answers on {paths.socket}; tmux {status.tmux_state}")


def _no_supervisor(paths: Paths, error: TmuxOrcError) -> Check:
    from tmuxorc.daemon.launch import running_pid

    if pid := running_pid(paths):
        detail, remedy = f"pid {pid} runs, but {error.message}", "tmux-orc daemon restart; agents stay"
        if not os.path.lexists(paths.socket):
            detail = f"pid {pid} runs, but has no socket at {paths.socket}"
            remedy = f"set XDG_RUNTIME_DIR as it was when it was started, or: {remedy}"
        return Check(name="supervisor", status="bad", detail=detail, remedy=remedy)
    if not os.path.lexists(paths.socket):
        return _ok("supervisor", "none runs; the first command that needs it starts it")
    if stat.S_ISSOCK(os.lstat(paths.socket).st_mode):
        detail = f"none answers, {error.message}; its socket is still at {paths.socket}"
        return Check(name="supervisor", status="note", detail=detail, remedy="tmux-orc daemon start")
    detail = f"{paths.socket} is in the way: it is not a socket"
    return Check(name="supervisor", status="bad", detail=detail, remedy=f"rm {paths.socket}")


def _journal(paths: Paths) -> Check:
    import sqlite3

    from tmuxorc.journal import translated

    if not os.path.exists(paths.journal):
        return _ok("journal", f"{paths.journal} (made when needed)")
    try:
        _look_into(paths.journal)
    except sqlite3.Error as error:
        raise translated(paths.journal, error) from None
    return _ok("journal", f"{paths.journal}, {os.path.getsize(paths.journal) / 1e6:.1f} MB")


def _look_into(path: str) -> None:
    """Whether it is whole, ours, and not newer than this program; opened so that nothing in it can change."""
    import sqlite3
    from contextlib import closing
    from urllib.parse import quote

    from tmuxorc.journal import check_version, damaged

    with closing(sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True, timeout=2.0)) as connection:
        said = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
        if said != "ok":
            raise damaged(path, said)
        check_version(connection, path)


def _tmux_server(app: App, settings: Settings) -> Check:
    import subprocess

    name, socket = "tmux server", tmux_socket(app.instance, settings.tmux.socket)
    if not os.path.exists(socket):
        return _ok(name, f"none runs on {socket}")
    tmux = (settings.tmux.binary, "-N", "-S", socket)
    try:
        done = subprocess.run([*tmux, "list-sessions"], capture_output=True, timeout=5, check=False)
        if done.returncode:
            return _ok(name, f"none runs on {socket} (a stale socket, used again when needed)")
        said = f"runs on {socket} with {many(len(done.stdout.splitlines()), 'session')}"
        return _strays(app, tmux, said) or _ok(name, said)
    except subprocess.TimeoutExpired:
        detail = f"the server on {socket} does not answer"
        return Check(name=name, status="bad", detail=detail, remedy=f"end it: tmux -S {socket} kill-server")


def _strays(app: App, tmux: tuple[str, ...], said: str) -> Check | None:
    from tmuxorc.cli._strays import in_words, strays

    if not (found := strays(app, tmux)):
        return None
    pane, name = found[0].pane_id, found[0].address.rpartition("/")[2]
    remedy = f"tmux-orc agent adopt {pane} --name {name}, or end it: tmux -S {tmux[-1]} kill-pane -t {pane}"
    detail = f"{said}; panes of agents that are not known any more: {in_words(found)}"
    return Check(name="tmux server", status="note", detail=detail, remedy=remedy)
