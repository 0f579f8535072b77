"""The tmux of one instance: panes, sessions, typing, and watching what happens to them.

What is said to tmux is written in `_panes` and `_sessions`, what its events mean in `_watch`; this sends and waits.
"""

import os
import secrets
import signal
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

import msgspec
import trio

from tmuxorc.tmux import _panes as panes
from tmuxorc.tmux import _sessions as sessions
from tmuxorc.tmux._connection import DEADLINE_S, Connection
from tmuxorc.tmux._errors import NoSuchTarget, TmuxGone, TmuxTimeout, Unsayable, refusal
from tmuxorc.tmux._install import Endpoint, Version, parse_version
from tmuxorc.tmux._options import DELIVERY, SESSION, TEAM, name_of, pack, parse_shown
from tmuxorc.tmux._protocol import ControlEvent, Reply
from tmuxorc.tmux._quote import Argument, Argv, command_line, sequence
from tmuxorc.tmux._startable import check_startable
from tmuxorc.tmux._types import Capture, FoundPane, PaneInfo, PaneSpec, PaneStatus, TeamSession
from tmuxorc.tmux._watch import SUBSCRIPTION, PaneSink, ServerSink, Watchers
from tmuxorc.tmux.process import is_reaped, nudge

_NAMES = 50
_STATUS_WAITS_S = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.5)


class Tmux:
    """An open connection to the instance's tmux; made by `open_tmux`.

    Every method that asks tmux raises `TmuxTimeout` after its deadline and `TmuxGone` once the connection has ended.
    """

    def __init__(self, endpoint: Endpoint, instance: str, hub: str, size: tuple[int, int], history_limit: int) -> None:
        self.endpoint = endpoint
        self.instance = instance
        self.hub = hub
        self.size = size
        self.history_limit = history_limit
        self.version: Version | None = None
        self.server_pid = 0
        self._connection: Connection | None = None
        self._watchers = Watchers(hub, self._look, self._go_on)
        self._placeholders: dict[str, str] = {}
        self._paste: Argv = ("paste-buffer", "-p", "-r", "-d")
        self._to_compare = trio.Event()

    def __repr__(self) -> str:
        return f"<Tmux {self.instance} hub={self.hub} {self._watchers!r} {self._connection!r}>"

    # --- commands ---------------------------------------------------------------------------------------------------

    async def run(self, *argv: Argument, deadline_s: float = DEADLINE_S) -> tuple[bytes, ...]:
        """Run one command and return the lines it printed.  Raises `TmuxRefused` with tmux's own words.

        Not for commands that run others, such as ``if-shell``: those answer more than once.
        """
        (reply,) = await self.run_many([argv], deadline_s=deadline_s)
        return _checked(argv, reply)

    async def run_many(self, batch: Sequence[Sequence[Argument]], *, deadline_s: float = DEADLINE_S) -> list[Reply]:
        """Run independent commands, written at once; one reply for each, an error being a reply like any other."""
        if not batch:
            return []
        return await self._open.send([command_line(argv) for argv in batch], deadline_s=deadline_s)

    async def _run_in_order(self, batch: Sequence[Argv], first: Callable[[Reply], None] | None = None) -> list[Reply]:
        """Run commands with nothing in between, up to the first error, which is then the last reply."""
        return await self._open.send_fenced([sequence(batch)], first=first)

    async def wait_closed(self) -> None:
        """Return never; raise `TmuxGone` when the connection or the server is gone."""
        await self._open.wait_closed()

    async def wait_overdue(self) -> None:
        """Return once a command was not answered in time: it may still take effect, so nothing is sure any more."""
        await self._open.overdue.wait()

    @property
    def _open(self) -> Connection:
        assert self._connection is not None
        return self._connection

    @property
    def reads(self) -> int:
        """How often the connection was read from so far: far less often than events came, under load."""
        return self._open.reads

    # --- panes ------------------------------------------------------------------------------------------------------

    async def create_pane(self, session_id: str, spec: PaneSpec, sink: PaneSink | None = None) -> PaneInfo:
        """Start `spec` in a window of its own, linked into the session; one batch.

        `sink` watches the pane from its very first byte; one given to `watch` later may miss some.
        Raises `BadDirectory` and `ProgramNotFound` before anything is done, `NoSuchTarget` if the session is gone.
        """
        check_startable(spec)
        placeholder = self._placeholders.pop(session_id, None)
        batch = panes.create(self.hub, session_id, spec, self.instance, placeholder)

        def watch_at_once(reply: Reply) -> None:
            if sink is not None and not reply.error:
                self.watch(panes.parse_named("just made", reply.lines).pane_id, sink)

        replies = await self._run_in_order(batch, first=watch_at_once)
        if not replies[-1].error:
            return panes.parse_named("just made", replies[0].lines)
        await self._undo_create(session_id, placeholder, replies)
        raise refusal(str(batch[len(replies) - 1][0]), _text(replies[-1].lines))

    async def create_hidden(self, spec: PaneSpec) -> PaneInfo:
        """Start `spec` in a window that only the hub shows and that ends with it; errors as for `create_pane`."""
        check_startable(spec)
        batch = panes.create_hidden(self.hub, spec, self.instance)
        replies = await self._run_in_order(batch)
        _checked(batch[len(replies) - 1], replies[-1])
        return panes.parse_named("just made", replies[0].lines)

    async def _undo_create(self, session_id: str, placeholder: str | None, replies: Sequence[Reply]) -> None:
        if placeholder is not None:
            self._placeholders[session_id] = placeholder
        if not replies[0].error:
            made = panes.parse_named("just made", replies[0].lines)
            self.unwatch(made.pane_id)
            await self.kill_window(made.window_id)

    async def respawn_pane(self, pane_id: str, spec: PaneSpec) -> PaneInfo:
        """Start `spec` in the pane, in place of what is there; errors as for `create_pane`."""
        check_startable(spec)
        batch = panes.respawn(pane_id, spec, self.instance)
        replies = await self._run_in_order(batch)
        _checked(batch[len(replies) - 1], replies[-1])
        return panes.parse_named(pane_id, replies[-1].lines)

    async def adopt_pane(self, pane_id: str, options: dict[str, str]) -> PaneInfo:
        """Take over a pane a person named: tag it, make it outlast its program, link its window into the hub."""
        info = panes.parse_named(pane_id, await self.run("display-message", "-p", "-t", pane_id, panes.PANE))
        links = sessions.parse_links(await self.run(*sessions.LIST_LINKS))
        batch: list[Argv] = [
            ("set-option", "-p", "-t", pane_id, *option) for option in panes.pane_options(options, self.instance)
        ]
        if self.hub not in links.get(pane_id, ()):
            batch.append(self._into_hub(info.window_id))
        replies = await self._run_in_order(batch)
        _checked(batch[len(replies) - 1], replies[-1])
        return info

    def _into_hub(self, window_id: str) -> Argv:
        return ("link-window", "-d", "-s", window_id, "-t", f"{self.hub}:")

    async def link_pane(self, window_id: str, session_id: str) -> None:
        """Show the window in another session of ours as well, in the place of its placeholder if it has one."""
        await self.run("link-window", "-d", "-s", window_id, "-t", f"{session_id}:")
        if (placeholder := self._placeholders.pop(session_id, None)) is not None:
            await self.kill_window(placeholder)

    async def inventory(self) -> tuple[FoundPane, ...]:
        """Every pane that carries our instance's option, with all of our options on it."""
        found = panes.parse_panes(await self.run(*panes.LIST_PANES), self.instance)
        shown = await self.run_many([("show-options", "-p", "-t", pane) for pane in found])
        return tuple(
            msgspec.structs.replace(
                pane, options=parse_shown(reply.lines), sessions=tuple(s for s in pane.sessions if s != self.hub)
            )
            for pane, reply in zip(found.values(), shown, strict=True)
            if not reply.error
        )

    async def pane_status(self, pane_id: str) -> PaneStatus:
        """Whether the pane's program lives; `NoSuchTarget` if the pane is gone."""
        return panes.parse_status(pane_id, await self.run("display-message", "-p", "-t", pane_id, panes.STATUS))

    async def exit_status(self, pane_id: str) -> PaneStatus:
        """`pane_status` of a pane whose process has ended: waits, a second at most, until tmux knows how.

        tmux 3.3a misses one SIGCHLD in ten: the pane is dead then, but the process stays unreaped and its status
        unknown until the next child ends.  Sending the server that signal makes it look, and does nothing else; not
        before it has read all of the program's output, though, or it would throw away the rest.
        """
        for wait_s in _STATUS_WAITS_S:
            status = await self.pane_status(pane_id)
            if status.dead and (status.status is not None or status.signal is not None or is_reaped(status.pid)):
                break
            if status.dead:
                nudge(self.server_pid)
            await trio.sleep(wait_s)
        return await self.pane_status(pane_id)

    async def capture(self, pane_id: str, *, ansi: bool = False, history: int = 0) -> Capture:
        """What the pane shows; `ansi` keeps colours as escape sequences, `history` is lines of scrollback before it."""
        batch = panes.capture(pane_id, ansi=ansi, history=history)
        numbers, title, cells = await self.run_many(batch)
        _checked(batch[-1], cells)  # the only one of the three that tmux refuses when the pane is gone
        return panes.parse_capture(numbers, title, cells)

    async def set_options(self, pane_id: str, options: dict[str, str]) -> None:
        """Set our options on the pane, by key."""
        batch = [("set-option", "-p", "-t", pane_id, name_of(key), pack(value)) for key, value in options.items()]
        for argv, reply in zip(batch, await self.run_many(batch), strict=True):
            _checked(argv, reply)

    async def get_options(self, pane_id: str) -> dict[str, str]:
        """Our options on the pane, by key."""
        return parse_shown(await self.run("show-options", "-p", "-t", pane_id))

    async def close_pane(self, pane_id: str) -> None:
        """End the pane and what runs in it; its window goes with its last pane.  A pane already gone is no error."""
        with suppress(NoSuchTarget):
            await self.run("kill-pane", "-t", pane_id)

    async def kill_window(self, window_id: str) -> None:
        """End the window in every session that shows it.  A window already gone is no error."""
        with suppress(NoSuchTarget):
            await self.run("kill-window", "-t", window_id)

    # --- typing -----------------------------------------------------------------------------------------------------

    async def paste(self, pane_id: str, data: bytes, *, gate: str = "1", marker: str = "") -> bool:
        """Paste `data`, bracketed if the program asked for it, if the format `gate` holds; whether it did.

        tmux checks the gate, pastes, and sets the pane's delivery option to `marker` in one breath.
        """
        if not data:
            raise Unsayable("there is nothing to paste")
        buffer = f"tmuxorc-{secrets.token_hex(8)}"
        delete: Argv = ("delete-buffer", "-b", buffer)
        then: list[Argv] = [(*self._paste, "-b", buffer, "-t", pane_id), *_mark(pane_id, marker)]
        lines = [*panes.load_buffer(buffer, data), panes.gated(pane_id, gate, then, [delete])]
        replies = await self._open.send_fenced(lines)
        if any(reply.error for reply in replies):
            await self.run_many([delete])
        return _verdict("paste-buffer", replies)

    async def press(self, pane_id: str, keys: Sequence[str], *, gate: str = "1", marker: str = "") -> bool:
        """Press keys, by tmux's names, if the format `gate` holds; as `paste`."""
        then: list[Argv] = [("send-keys", "-t", pane_id, "--", *keys), *_mark(pane_id, marker)]
        return _verdict("send-keys", await self._open.send_fenced([panes.gated(pane_id, gate, then)]))

    async def send_keys(self, pane_id: str, keys: Sequence[str], *, literal: bool = False) -> None:
        """Press keys by tmux's names, or with `literal` type them as they are."""
        await self.run("send-keys", *(("-l",) if literal else ()), "-t", pane_id, "--", *keys)

    # --- sessions ---------------------------------------------------------------------------------------------------

    async def ensure_team_session(self, team: str) -> str:
        """The id of the team's session, made if it is missing; its name is the team's, or the next one free."""
        for session in await self.list_sessions():
            if session.team == team:
                return session.session_id
        options = {SESSION: self.instance, TEAM: team}
        for attempt in range(_NAMES):
            batch = sessions.new_session(sessions.session_name(team, attempt), self.size, options, self.history_limit)
            replies = await self._run_in_order(batch)
            if not replies[-1].error:
                session_id, window_id = _text(replies[0].lines).split()
                self._placeholders[session_id] = window_id
                return session_id
            if not _text(replies[-1].lines).startswith("duplicate session"):
                _checked(batch[len(replies) - 1], replies[-1])
        raise refusal("new-session", f"no name is free for the session of team {team}")

    async def list_sessions(self) -> tuple[TeamSession, ...]:
        """Our team sessions; nobody else's."""
        return tuple(sessions.parse_sessions(await self.run(*sessions.LIST_SESSIONS), self.instance).values())

    # --- watching ---------------------------------------------------------------------------------------------------

    def watch(self, pane_id: str, sink: PaneSink) -> None:
        """Call `sink` for everything that happens to the pane, from the reading task: it must not block or raise."""
        self._watchers.watch(pane_id, sink)

    def unwatch(self, pane_id: str) -> None:
        """Stop watching the pane."""
        self._watchers.unwatch(pane_id)

    def watch_server(self, sink: ServerSink) -> Callable[[], None]:
        """Call `sink` when team sessions or people come and go; returns what ends it."""
        return self._watchers.watch_server(sink)

    def _look(self) -> None:
        self._to_compare.set()

    def note(self, pane_id: str, key: str, value: str) -> None:
        """Set one of our options on the pane without waiting; a pane that is gone is no error."""
        self._open.post(command_line(("set-option", "-p", "-t", pane_id, name_of(key), pack(value))))

    def _go_on(self, pane_id: str) -> None:
        self._open.post(command_line(("refresh-client", "-A", f"{pane_id}:continue")))

    # --- life, for open_tmux ----------------------------------------------------------------------------------------

    def take(self, event: ControlEvent) -> None:
        """Take in one event of the connection."""
        self._watchers.take(event)

    async def begin(self, connection: Connection) -> None:
        """Subscribe, learn what this server can do, and bring back into the hub what a person took out of it."""
        self._connection = connection
        await self.run("refresh-client", "-B", SUBSCRIPTION)
        about = _text(await self.run("display-message", "-p", "#{pid} #{version}"))
        self.server_pid, self.version = int(about.partition(" ")[0]), parse_version(about.partition(" ")[2])
        await self._end_abandoned(connection.pid)
        await self._learn_paste()
        self._placeholders = sessions.parse_placeholders(await self.run(*sessions.LIST_PLACEHOLDERS))
        found = panes.parse_panes(await self.run(*panes.LIST_PANES), self.instance)
        lost = {pane.window_id for pane in found.values() if self.hub not in pane.sessions}
        await self.run_many([self._into_hub(window_id) for window_id in lost])
        await self._compare()

    async def _end_abandoned(self, own_pid: int) -> None:
        """End control clients whose supervisor was killed: tmux keeps one with unsent output, and cannot end itself."""
        clients = await self.run("list-clients", "-t", self.hub, "-F", sessions.CLIENT)
        for pid in sessions.parse_control_clients(clients):
            if pid != own_pid:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    async def _learn_paste(self) -> None:
        """Newer versions change control characters in a paste unless told not to."""
        usage = _text(await self.run("list-commands", "-F", "#{command_list_usage}", "paste-buffer"))
        if "S" in usage.partition("]")[0]:
            self._paste = (*self._paste, "-S")

    async def keep_comparing(self) -> None:
        """Compare what is there with what was there, once for any number of hints."""
        with suppress(TmuxGone, TmuxTimeout):
            while True:
                await self._to_compare.wait()
                self._to_compare = trio.Event()
                await self._compare()

    async def _compare(self) -> None:
        # Only what was known before tmux was asked can be missing from its answer.
        watched, kept_alive = frozenset(self._watchers.panes), frozenset(self._placeholders)
        links, listed = await self.run_many([sessions.LIST_LINKS, sessions.LIST_SESSIONS])
        now = sessions.parse_sessions(listed.lines, self.instance)
        for gone in kept_alive - now.keys():
            self._placeholders.pop(gone, None)
        self._watchers.compare(watched, sessions.parse_links(links.lines), now)


def _mark(pane_id: str, marker: str) -> list[Argv]:
    return [("set-option", "-p", "-t", pane_id, name_of(DELIVERY), pack(marker))] if marker else []


def _verdict(command: str, replies: Iterable[Reply]) -> bool:
    last: tuple[bytes, ...] = ()
    for reply in replies:
        last = _checked((command,), reply)
    return last == (panes.YES,)


def _checked(argv: Sequence[Argument], reply: Reply) -> tuple[bytes, ...]:
    if reply.error:
        raise refusal(str(argv[0]), _text(reply.lines))
    return reply.lines


def _text(lines: Iterable[bytes]) -> str:
    return b"\n".join(lines).decode(errors="replace")
