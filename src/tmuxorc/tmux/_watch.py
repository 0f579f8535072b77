"""Who watches what: control-mode events in, calls of the watchers out.  Plain code: no await, no connection.

What tmux only hints at (a window closed somewhere, a session came or went) is settled by comparing what there is with
what is watched, once for any number of hints.
"""

import logging
import re
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import TypeVar

from tmuxorc.tmux._protocol import ControlEvent, Notice, Output, Paused, Subscribed
from tmuxorc.tmux._types import (
    ClientsChanged,
    PaneChanged,
    PaneClosed,
    PaneEvent,
    PaneGap,
    PaneModeChanged,
    PaneOutput,
    PaneUnlinked,
    ServerEvent,
    SessionClosed,
    SessionOpened,
    TeamSession,
)

log = logging.getLogger(__name__)

E = TypeVar("E")
PaneSink = Callable[[PaneEvent], None]
ServerSink = Callable[[ServerEvent], None]

SUBSCRIPTION = "tmuxorc:%*:#{pane_dead} #{pane_in_mode} #{n:pane_current_command} #{pane_current_command} #{pane_title}"
"""Asked of tmux for every pane; the command is preceded by its length because both texts may hold blanks."""

_STRUCTURE = frozenset(("layout-change", "sessions-changed", "unlinked-window-close", "window-close"))
_CLIENTS = frozenset(("client-detached", "client-session-changed", "session-window-changed"))
_CHANGED = re.compile(rb"([01]) (\d*) (\d+) ")


class Watchers:
    """The sinks of panes and of the server, and the sessions that are known.

    `structure_changed` is called when panes or sessions may have come or gone, `fell_behind` with a paused pane's id.
    """

    def __init__(self, hub: str, structure_changed: Callable[[], None], fell_behind: Callable[[str], None]) -> None:
        self._hub = hub
        self._structure_changed = structure_changed
        self._fell_behind = fell_behind
        self._panes: dict[str, PaneSink] = {}
        self._server: list[ServerSink] = []
        self._unlinked: set[str] = set()
        self._sessions: dict[str, TeamSession] = {}

    def __repr__(self) -> str:
        return f"<Watchers of {len(self._panes)} panes, {len(self._sessions)} sessions known>"

    @property
    def panes(self) -> AbstractSet[str]:
        """The panes watched."""
        return self._panes.keys()

    def watch(self, pane_id: str, sink: PaneSink) -> None:
        """Tell `sink` about the pane; it may have closed before, so look."""
        self._panes[pane_id] = sink
        self._structure_changed()

    def unwatch(self, pane_id: str) -> None:
        """Tell nobody about the pane any more."""
        self._panes.pop(pane_id, None)
        self._unlinked.discard(pane_id)

    def watch_server(self, sink: ServerSink) -> Callable[[], None]:
        """Tell `sink` about sessions and people; returns what ends it."""
        self._server.append(sink)
        return lambda: self._server.remove(sink)

    def take(self, event: ControlEvent) -> None:
        """Hand an event on to whom it concerns."""
        if isinstance(event, Output):  # first, and alone in being frequent
            if (sink := self._panes.get(event.pane)) is not None:
                _call(sink, PaneOutput(event.pane, event.raw))
        elif isinstance(event, Notice):
            self._notice(event)
        elif isinstance(event, Subscribed):
            self._change(event)
        elif isinstance(event, Paused):
            self._fell_behind(event.pane)
            self._tell_pane(PaneGap(event.pane))

    def _notice(self, event: Notice) -> None:
        if event.name == "pane-mode-changed":
            self._tell_pane(PaneModeChanged(event.rest.decode(errors="replace")))
        elif event.name in _STRUCTURE:
            self._structure_changed()
        elif event.name in _CLIENTS and not event.rest.startswith(self._hub.encode() + b" "):
            self._tell(ClientsChanged())

    def _change(self, event: Subscribed) -> None:
        if (match := _CHANGED.match(event.value)) is None:
            return
        rest = event.value[match.end() :]
        command, title = rest[: int(match[3])], rest[int(match[3]) + 1 :]
        self._tell_pane(
            PaneChanged(
                event.pane,
                dead=match[1] == b"1",
                in_mode=match[2] not in (b"", b"0"),
                command=command.decode(errors="replace"),
                title=title.decode(errors="replace"),
            )
        )

    def compare(
        self, watched: AbstractSet[str], links: Mapping[str, AbstractSet[str]], sessions: Mapping[str, TeamSession]
    ) -> None:
        """Tell what came and went: `watched` was being watched before tmux listed `links` (panes) and `sessions`."""
        self._compare_sessions(sessions)
        for pane_id in watched:
            if pane_id in self._panes:
                self._compare_pane(pane_id, links.get(pane_id))

    def _compare_pane(self, pane_id: str, shown_in: AbstractSet[str] | None) -> None:
        if shown_in is None:
            sink = self._panes[pane_id]
            self.unwatch(pane_id)
            _call(sink, PaneClosed(pane_id))
        elif shown_in - {self._hub}:
            self._unlinked.discard(pane_id)
        elif pane_id not in self._unlinked:
            self._unlinked.add(pane_id)
            self._tell_pane(PaneUnlinked(pane_id))

    def _compare_sessions(self, now: Mapping[str, TeamSession]) -> None:
        for gone in self._sessions.keys() - now.keys():
            self._tell(SessionClosed(gone, self._sessions.pop(gone).team))
        for session_id, session in now.items():
            if session_id not in self._sessions:
                self._sessions[session_id] = session
                self._tell(SessionOpened(session_id, session.team))

    def _tell_pane(self, event: PaneEvent) -> None:
        if (sink := self._panes.get(event.pane_id)) is not None:
            _call(sink, event)

    def _tell(self, event: ServerEvent) -> None:
        for sink in tuple(self._server):
            _call(sink, event)


def _call(sink: Callable[[E], None], event: E) -> None:
    """A watcher that fails is logged and harms nobody: the task that reads is everybody's."""
    try:
        sink(event)
    except Exception:
        log.exception("a watcher failed on %r", event)
