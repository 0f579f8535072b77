"""The tmux of one instance: its hub, one control client on it, panes, sessions, and what happens to them.

Everything that is decided here is decided in `_commands`; this module sends, waits and hands events to whoever watches.
"""

import os
import re
import secrets
import shutil
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager

import trio

from tmuxorc.tmux import _commands as commands
from tmuxorc.tmux._connection import DEADLINE_S, Connection, background, connect
from tmuxorc.tmux._errors import BadDirectory, NoSuchTarget, ProgramMissing, TmuxGone, TmuxTimeout, refusal
from tmuxorc.tmux._install import Endpoint, Version, parse_version
from tmuxorc.tmux._options import DELIVERY, INSTANCE, TEAM, name_of, pack, parse_shown
from tmuxorc.tmux._protocol import ControlEvent, Notice, Output, Paused, Reply, Subscribed
from tmuxorc.tmux._quote import Argument, command_line, sequence
from tmuxorc.tmux._server import ensure_hub
from tmuxorc.tmux._types import (
    Capture,
    ClientsChanged,
    FoundPane,
    PaneChanged,
    PaneClosed,
    PaneEvent,
    PaneGap,
    PaneInfo,
    PaneModeChanged,
    PaneOutput,
    PaneSpec,
    PaneStatus,
    PaneUnlinked,
    ServerEvent,
    SessionClosed,
    SessionOpened,
    TeamSession,
)

PaneSink = Callable[[PaneEvent], None]
ServerSink = Callable[[ServerEvent], None]

HISTORY_LIMIT = 10_000
SETUP_DEADLINE_S = 15.0
_NAMES = 50
_STATUS_WAITS_S = (0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.5)

_STRUCTURE = frozenset(
    {
        *("window-add", "window-close", "unlinked-window-add", "unlinked-window-close"),
        *("layout-change", "sessions-changed", "session-renamed"),
    }
)
_CLIENTS = frozenset({"client-session-changed", "client-detached", "session-window-changed"})
_PANE_CHANGED = re.compile(rb"([01]) (\d+) (\d+) ")


class Tmux:
    """An open connection to the instance's tmux; made by `open_tmux`."""

    def __init__(self, endpoint: Endpoint, instance: str, hub: str, size: tuple[int, int], history_limit: int) -> None:
        self.endpoint = endpoint
        self.instance = instance
        self.hub = hub
        self.size = size
        self.history_limit = history_limit
        self.version: Version | None = None
        self._connection: Connection | None = None
        self._watchers: dict[str, PaneSink] = {}
        self._server_watchers: list[ServerSink] = []
        self._linked: set[str] = set()
        self._sessions: dict[str, TeamSession] = {}
        self._placeholders: dict[str, str] = {}
        self._structure_changed = trio.Event()

    def __repr__(self) -> str:
        return f"<Tmux {self.instance} hub={self.hub} watching={len(self._watchers)} {self._connection!r}>"

    # --- commands ---------------------------------------------------------------------------------------------------

    async def run(self, *argv: Argument, deadline_s: float = DEADLINE_S) -> tuple[bytes, ...]:
        """Run one command and return the lines it printed.  Raises `TmuxRefused` with tmux's own words."""
        (reply,) = await self.run_many([argv], deadline_s=deadline_s)
        return _checked(argv, reply)

    async def run_many(self, commands_: Sequence[Sequence[Argument]], *, deadline_s: float = DEADLINE_S) -> list[Reply]:
        """Run independent commands, written at once; one reply for each, an error being a reply like any other."""
        if not commands_:
            return []
        return await self._open.send([command_line(argv) for argv in commands_], deadline_s=deadline_s)

    async def _run_in_order(self, batch: Sequence[Sequence[Argument]], deadline_s: float = DEADLINE_S) -> list[Reply]:
        """Run commands with nothing in between, up to the first error, which is then the last reply."""
        return await self._open.send_fenced([sequence(batch)], deadline_s=deadline_s)

    async def wait_closed(self) -> None:
        """Return never; raise `TmuxGone` when the connection or the server is gone."""
        await self._open.wait_closed()

    @property
    def _open(self) -> Connection:
        assert self._connection is not None
        return self._connection

    # --- panes ------------------------------------------------------------------------------------------------------

    async def create_pane(self, session_id: str, spec: PaneSpec) -> PaneInfo:
        """Start `spec` in a window of its own, linked into the session; one batch.

        Raises `BadDirectory` and `ProgramMissing` before anything is done, `NoSuchTarget` if the session is gone.
        """
        check_startable(spec)
        placeholder = self._placeholders.pop(session_id, None)
        batch = commands.create_pane(self.hub, session_id, spec, self.instance, placeholder)
        replies = await self._run_in_order(batch)
        if replies[0].error:
            self._keep_placeholder(session_id, placeholder)
            _checked(batch[0], replies[0])
        pane = commands.parse_named("just made", replies[0].lines)
        self._linked.add(pane.pane_id)
        if replies[-1].error:
            self._keep_placeholder(session_id, placeholder)
            await self.kill_window(pane.window_id)
            _checked(batch[len(replies) - 1], replies[-1])
        return pane

    def _keep_placeholder(self, session_id: str, placeholder: str | None) -> None:
        if placeholder is not None:
            self._placeholders[session_id] = placeholder

    async def respawn_pane(self, pane_id: str, spec: PaneSpec) -> PaneInfo:
        """Start `spec` in the pane, in place of what is there; errors as for `create_pane`."""
        check_startable(spec)
        batch = commands.respawn_pane(pane_id, spec, self.instance)
        replies = await self._run_in_order(batch)
        _checked(batch[len(replies) - 1], replies[-1])
        return commands.parse_named(pane_id, replies[-1].lines)

    async def inventory(self) -> tuple[FoundPane, ...]:
        """Every pane that carries our instance's option, with all of our options on it."""
        found = await self._list_panes()
        shown = await self.run_many([("show-options", "-p", "-t", pane) for pane in found])
        return tuple(
            FoundPane(
                pane_id=pane.pane_id,
                window_id=pane.window_id,
                pid=pane.pid,
                dead=pane.dead,
                sessions=pane.sessions,
                options=parse_shown(reply.lines),
            )
            for pane, reply in zip(found.values(), shown, strict=True)
            if not reply.error
        )

    async def _list_panes(self) -> dict[str, FoundPane]:
        return commands.parse_panes(await self.run(*commands.LIST_PANES), self.instance, self.hub)

    async def pane_status(self, pane_id: str) -> PaneStatus:
        """Whether the pane's program lives; `NoSuchTarget` if the pane is gone."""
        return commands.parse_status(pane_id, await self.run("display-message", "-p", "-t", pane_id, commands.STATUS))

    async def exit_status(self, pane_id: str) -> PaneStatus:
        """`pane_status` of a pane whose process is known to have ended: waits, a second at most, till tmux knows too."""
        for wait_s in _STATUS_WAITS_S:
            if (status := await self.pane_status(pane_id)).dead:
                return status
            await trio.sleep(wait_s)
        return await self.pane_status(pane_id)

    async def capture(self, pane_id: str, *, ansi: bool = False, history: int = 0) -> Capture:
        """What the pane shows; with `ansi` colours stay as escape sequences, `history` lines of scrollback before it."""
        batch = commands.capture(pane_id, ansi=ansi, history=history)
        numbers, title, cells = await self.run_many(batch)
        _checked(batch[-1], cells)  # the only one of the three that tmux refuses when the pane is gone
        return commands.parse_capture(numbers, title, cells)

    async def set_options(self, pane_id: str, options: dict[str, str]) -> None:
        """Set our options on the pane, by key."""
        batch = [("set-option", "-p", "-t", pane_id, name_of(key), pack(value)) for key, value in options.items()]
        for argv, reply in zip(batch, await self.run_many(batch), strict=True):
            _checked(argv, reply)

    async def get_options(self, pane_id: str) -> dict[str, str]:
        """Our options on the pane, by key."""
        return parse_shown(await self.run("show-options", "-p", "-t", pane_id))

    async def link_pane(self, window_id: str, session_id: str) -> None:
        """Show the window in another session of ours."""
        await self.run("link-window", "-d", "-s", window_id, "-t", f"{session_id}:")

    async def adopt_pane(self, pane_id: str, options: dict[str, str]) -> PaneInfo:
        """Take over a pane a person named: tag it, keep it after its program's end, and link its window into the hub."""
        info = commands.parse_named(pane_id, await self.run("display-message", "-p", "-t", pane_id, commands.PANE))
        tags = [(name_of(key), pack(value)) for key, value in {INSTANCE: self.instance, **options}.items()]
        batch = [("set-option", "-p", "-t", pane_id, *tag) for tag in (*tags, ("remain-on-exit", "on"))]
        if pane_id not in self._linked:
            batch.append(("link-window", "-d", "-s", info.window_id, "-t", f"{self.hub}:"))
        replies = await self._run_in_order(batch)
        _checked(batch[len(replies) - 1], replies[-1])
        return info

    async def close_pane(self, pane_id: str) -> None:
        """End the pane and what runs in it; its window goes with its last pane.  A pane already gone is no error."""
        await self._end("kill-pane", pane_id)

    async def kill_window(self, window_id: str) -> None:
        """End the window in every session it is linked into."""
        await self._end("kill-window", window_id)

    async def _end(self, command: str, target: str) -> None:
        try:
            await self.run(command, "-t", target)
        except NoSuchTarget:
            pass

    # --- typing -----------------------------------------------------------------------------------------------------

    async def paste(self, pane_id: str, data: bytes, *, gate: str = "1", marker: str = "") -> bool:
        """Paste `data` (bracketed if the program asked for it) if the format `gate` holds; whether it did.

        tmux checks the gate, pastes, and sets the pane's delivery option to `marker` in one breath.
        """
        buffer = f"tmuxorc-{secrets.token_hex(8)}"
        then: list[commands.Argv] = [("paste-buffer", "-p", "-r", "-d", "-b", buffer, "-t", pane_id)]
        otherwise: list[commands.Argv] = [("delete-buffer", "-b", buffer)]
        loading = commands.load_buffer(buffer, data)
        line = commands.gated(pane_id, gate, [*then, *_mark(pane_id, marker)], otherwise)
        replies = await self._open.send_fenced([*loading, line])
        if any(reply.error for reply in replies):
            await self._open.send([command_line(("delete-buffer", "-b", buffer))])
        return _verdict("paste-buffer", replies)

    async def press(self, pane_id: str, keys: Sequence[str], *, gate: str = "1", marker: str = "") -> bool:
        """Press keys, by tmux's names, if the format `gate` holds; as `paste`."""
        then: list[commands.Argv] = [("send-keys", "-t", pane_id, "--", *keys)]
        line = commands.gated(pane_id, gate, [*then, *_mark(pane_id, marker)])
        return _verdict("send-keys", await self._open.send_fenced([line]))

    async def send_keys(self, pane_id: str, keys: Sequence[str], *, literal: bool = False) -> None:
        """Press keys by tmux's names, or type them as they are."""
        await self.run("send-keys", *(["-l"] if literal else []), "-t", pane_id, "--", *keys)

    # --- sessions ---------------------------------------------------------------------------------------------------

    async def ensure_team_session(self, team: str) -> str:
        """The id of the team's session, made if it is missing; its name is the team's, or the next one free."""
        for session in await self.list_sessions():
            if session.team == team:
                return session.session_id
        for attempt in range(_NAMES):
            name = commands.session_name(team, attempt)
            options = {INSTANCE: self.instance, TEAM: team}
            batch = commands.new_session(name, self.size, options, self.history_limit)
            replies = await self._run_in_order(batch)
            if not replies[0].error:
                return self._opened(replies[0], team, name)
            if not b"".join(replies[0].lines).startswith(b"duplicate session"):
                _checked(batch[0], replies[0])
        raise refusal("new-session", f"no name is free for the session of team {team}")

    def _opened(self, reply: Reply, team: str, name: str) -> str:
        session_id, window_id = reply.lines[0].decode().split()
        self._placeholders[session_id] = window_id
        self._learn_session(TeamSession(session_id=session_id, name=name, team=team, windows=1, attached=0))
        return session_id

    async def list_sessions(self) -> tuple[TeamSession, ...]:
        """Our team sessions; nobody else's."""
        return tuple(commands.parse_sessions(await self.run(*commands.LIST_SESSIONS), self.instance).values())

    # --- watching ---------------------------------------------------------------------------------------------------

    def watch(self, pane_id: str, sink: PaneSink) -> None:
        """Call `sink` for everything that happens to the pane, from the reading task: it must not block."""
        self._watchers[pane_id] = sink

    def unwatch(self, pane_id: str) -> None:
        """Stop watching the pane."""
        self._watchers.pop(pane_id, None)

    def watch_server(self, sink: ServerSink) -> Callable[[], None]:
        """Call `sink` when team sessions or people come and go; returns what ends it."""
        self._server_watchers.append(sink)
        return lambda: self._server_watchers.remove(sink)

    def _tell(self, event: ServerEvent) -> None:
        for sink in tuple(self._server_watchers):
            sink(event)

    def _take(self, event: ControlEvent) -> None:
        match event:
            case Output():
                if sink := self._watchers.get(event.pane):
                    sink(PaneOutput(event.pane, event.raw))
            case Paused():
                self._go_on(event.pane)
            case Subscribed():
                self._changed(event)
            case Notice():
                self._noticed(event)
            case _:
                pass

    def _go_on(self, pane_id: str) -> None:
        self._open.post(command_line(("refresh-client", "-A", f"{pane_id}:continue")))
        if sink := self._watchers.get(pane_id):
            sink(PaneGap(pane_id))

    def _changed(self, event: Subscribed) -> None:
        sink = self._watchers.get(event.pane)
        match = _PANE_CHANGED.match(event.value)
        if sink is None or match is None:
            return
        rest = event.value[match.end() :]
        length = int(match[3])
        command, title = rest[:length].decode(errors="replace"), rest[length + 1 :].decode(errors="replace")
        sink(PaneChanged(event.pane, match[1] == b"1", match[2] != b"0", command, title))

    def _noticed(self, event: Notice) -> None:
        if event.name == "pane-mode-changed":
            pane_id = event.rest.decode(errors="replace")
            if sink := self._watchers.get(pane_id):
                sink(PaneModeChanged(pane_id))
        elif event.name in _STRUCTURE:
            self._structure_changed.set()
        elif event.name in _CLIENTS:
            self._tell(ClientsChanged())

    async def _keep_structure(self) -> None:
        """Compare what is there with what was there, once for any number of notifications."""
        while True:
            await self._structure_changed.wait()
            self._structure_changed = trio.Event()
            try:
                await self._compare()
            except (TmuxGone, TmuxTimeout):
                return

    async def _compare(self) -> None:
        watched = tuple(self._watchers)
        panes, sessions = await self.run_many([commands.LIST_ALL, commands.LIST_SESSIONS])
        self._compare_sessions(commands.parse_sessions(sessions.lines, self.instance))
        links = commands.parse_links(panes.lines, self.hub)
        for pane_id in watched:
            self._compare_pane(pane_id, links.get(pane_id))
        self._linked = {pane for pane, linked in links.items() if linked}

    def _compare_pane(self, pane_id: str, linked: bool | None) -> None:
        sink = self._watchers.get(pane_id)
        if sink is None:
            return
        if linked is None:
            self.unwatch(pane_id)
            sink(PaneClosed(pane_id))
        elif not linked and pane_id in self._linked:
            sink(PaneUnlinked(pane_id))

    def _compare_sessions(self, now: dict[str, TeamSession]) -> None:
        for gone in self._sessions.keys() - now.keys():
            session = self._sessions.pop(gone)
            self._placeholders.pop(gone, None)
            self._tell(SessionClosed(gone, session.team))
        for session in now.values():
            self._learn_session(session)

    def _learn_session(self, session: TeamSession) -> None:
        known = session.session_id in self._sessions
        self._sessions[session.session_id] = session
        if not known:
            self._tell(SessionOpened(session.session_id, session.team))

    # --- life -------------------------------------------------------------------------------------------------------

    async def _begin(self, connection: Connection) -> None:
        self._connection = connection
        subscription = f"{commands.SUBSCRIPTION}:%*:{commands.SUBSCRIBED}"
        await self.run("refresh-client", "-B", subscription)
        self.version = parse_version(_text(await self.run("display-message", "-p", "#{version}")))
        self._placeholders = commands.parse_placeholders(await self.run(*commands.LIST_PLACEHOLDERS))
        await self._compare()


@asynccontextmanager
async def open_tmux(
    endpoint: Endpoint,
    *,
    instance: str,
    size: tuple[int, int] = (200, 50),
    history_limit: int = HISTORY_LIMIT,
    deadline_s: float = SETUP_DEADLINE_S,
) -> AsyncIterator[Tmux]:
    """The instance's tmux, its server and hub made if they are missing.  `size` is (columns, rows) of new windows.

    Leaving the block detaches; server, sessions and panes stay.  Raises `TmuxTimeout`, `TmuxGone` or `TmuxRefused`.
    """
    hub = await _ensure_hub(endpoint, instance, size, history_limit, deadline_s)
    tmux = Tmux(endpoint, instance, hub, size, history_limit)
    async with connect(endpoint, hub, tmux._take, deadline_s=deadline_s) as connection:
        await tmux._begin(connection)
        async with background(tmux._keep_structure):
            yield tmux


_libtmux_threads = trio.CapacityLimiter(2)


async def _ensure_hub(
    endpoint: Endpoint, instance: str, size: tuple[int, int], history_limit: int, deadline_s: float
) -> str:
    with trio.move_on_after(deadline_s):
        return await trio.to_thread.run_sync(
            ensure_hub, endpoint, instance, size, history_limit, abandon_on_cancel=True, limiter=_libtmux_threads
        )
    raise TmuxTimeout(
        f"{endpoint.binary} did not bring up the server on {endpoint.socket_path} within {deadline_s:g} s"
    )


def check_startable(spec: PaneSpec) -> None:
    """Raise `BadDirectory` or `ProgramMissing` if `spec` cannot start, for tmux would only show it in the pane."""
    if not os.path.isabs(spec.cwd) or not os.path.isdir(spec.cwd):
        raise BadDirectory(f"the working directory {spec.cwd!r} is not a directory", details={"cwd": spec.cwd})
    if not spec.argv or not spec.argv[0]:
        raise ProgramMissing("there is no program to run", details={"path": ""})
    find_program(spec.argv[0], path=spec.env.get("PATH"), cwd=spec.cwd)


def find_program(name: str, *, path: str | None, cwd: str) -> str:
    """The program's absolute path; raises `ProgramMissing` with the PATH that was searched."""
    searched = os.environ.get("PATH", os.defpath) if path is None else path
    found = shutil.which(os.path.join(cwd, name) if os.sep in name else name, path=searched)
    if found is None:
        where = "" if os.sep in name else f" on the PATH {searched}"
        raise ProgramMissing(f"no program {name!r}{where}", details={"program": name, "path": searched})
    return os.path.join(cwd, found)


def _mark(pane_id: str, marker: str) -> list[commands.Argv]:
    return [("set-option", "-p", "-t", pane_id, name_of(DELIVERY), pack(marker))] if marker else []


def _verdict(command: str, replies: Iterable[Reply]) -> bool:
    last = False
    for reply in replies:
        if reply.error:
            raise refusal(command, _text(reply.lines))
        last = reply.lines == (commands.YES.encode(),)
    return last


def _checked(argv: Sequence[Argument], reply: Reply) -> tuple[bytes, ...]:
    if reply.error:
        raise refusal(str(argv[0]), _text(reply.lines))
    return reply.lines


def _text(lines: Iterable[bytes]) -> str:
    return b"\n".join(lines).decode(errors="replace")
