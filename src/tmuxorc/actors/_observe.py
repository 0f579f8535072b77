"""What an agent's actor sees of its agent: output, screen, foreground, title, folded by the kind's detector.

A screen is read only because output said that it changed; the reads of many busy agents share one budget.
"""

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import trio

from tmuxorc.actors._pane import NOTED_STATE
from tmuxorc.actors.services import Services
from tmuxorc.agents.cells import read_cells
from tmuxorc.agents.detect import Detector
from tmuxorc.agents.escapes import EscapeScanner
from tmuxorc.agents.evidence import (
    Evidence,
    ForegroundSeen,
    ProcessStarted,
    ReadyTimedOut,
    ScreenSeen,
    State,
    TitleSeen,
)
from tmuxorc.agents.kinds import Kind
from tmuxorc.agents.prompts import read_prompt
from tmuxorc.agents.schema import StateFrom
from tmuxorc.errors import TmuxError
from tmuxorc.model import AgentState, Prompt
from tmuxorc.tmux import PaneChanged, PaneEvent, PaneInfo, PaneOutput
from tmuxorc.tmux.process import foreground_pgid

_COMMAND = "#{pane_current_command}"


class Observer:
    """Feeds one incarnation's detector and tells the journal what it finds."""

    def __init__(self, services: Services, address: str, kind: Kind, pane: PaneInfo, generation: int) -> None:
        self._services = services
        self._address = address
        self._kind = kind
        self._pane = pane
        self._generation = generation
        self.detector = Detector(kind)
        self._scanner = EscapeScanner()
        self._scans = kind.state_from is StateFrom.SCREEN
        self._wake = trio.Event()
        self._changed = trio.Event()
        self._output = trio.Event()
        self.outputs = 0
        self.prompts = 0
        self.own_command = ""
        self._noted = ""
        self._prompt: Prompt | None = None
        self._state: AgentState | None = None
        self._since = ""
        self.on_state: Callable[[AgentState], None] | None = None

    def begin(self, adopted: bool, noted: str = "") -> None:
        """The process runs; look at it once, whatever it does.

        `noted` is what an earlier observer of this process left on its pane: a state that goes on began then.
        """
        self._noted = noted
        self.feed(ProcessStarted(at=trio.current_time(), adopted=adopted))
        self._wake.set()

    def on_pane_event(self, event: PaneEvent) -> None:
        """Called by the connection's reader for everything that happens to the pane: it must be quick."""
        self.nudge()
        if self._kind.state_from is StateFrom.PROCESS:
            return
        if isinstance(event, PaneOutput) and self._scans:
            for evidence in self._scanner.feed(event.data, trio.current_time()):
                self.feed(evidence)
        elif isinstance(event, PaneChanged):
            self.feed(TitleSeen(at=trio.current_time(), title=event.title))
        self._wake.set()

    def feed(self, evidence: Evidence) -> None:
        """Take in evidence; publish the state if that changed it, and wake who waits for a change."""
        state = self.detector.feed(evidence)
        self._tell_prompt()  # first: who waits for the state is to find it
        if state is not None:
            self._publish(state)
        self.touch()

    def nudge(self) -> None:
        """Something has happened to the pane, or to what its courier waits for besides."""
        self.outputs += 1
        if not self._output.is_set():
            self._output.set()

    def touch(self) -> None:
        """Wake who waits for a change."""
        self._changed.set()
        self._changed = trio.Event()

    @property
    def prompt(self) -> Prompt | None:
        """What the agent asks, as its channel or a hook tells it, else as its screen shows it."""
        detector = self.detector
        if detector.prompt is not None or detector.state.state is not AgentState.BLOCKED or detector.screen is None:
            return detector.prompt
        return read_prompt(self._kind, detector.screen)

    def _tell_prompt(self) -> None:
        prompt = self.prompt
        if prompt != self._prompt:
            self._prompt = prompt
            self.prompts += 1
            data = None if prompt is None else msgspec.to_builtins(prompt)
            self._services.events.publish("agent.prompt", self._address, self._generation, prompt=data)

    def _publish(self, state: State) -> None:
        if state.state is not self._state:
            self._state, self._since = state.state, self._beginning_of(state.state)
            if self.on_state is not None:
                self.on_state(state.state)
        self._services.events.publish(
            "agent.state",
            self._address,
            self._generation,
            state=state.state,
            detail=state.detail,
            source=state.source,
            since=self._since,
        )

    def _beginning_of(self, state: AgentState) -> str:
        """When the new state began, as ISO 8601: now, unless it is the one the process was in when it was last seen."""
        now = datetime.now(UTC).isoformat()
        if state is AgentState.STARTING:
            return now
        before, _, since = self._noted.partition("@")
        self._noted = ""
        if before != state.value or not _is_past(since, now):
            since = now
        if self._services.tmux_or_none is not None:
            self._services.tmux_or_none.note(self._pane.pane_id, NOTED_STATE, f"{state.value}@{since}")
        return since

    def change(self) -> trio.Event:
        """Set when the next piece of evidence has come in."""
        return self._changed

    async def output_after(self, count: int) -> None:
        """Return once more than `count` things have happened to the pane."""
        while self.outputs <= count:
            self._output = trio.Event()
            await self._output.wait()

    async def run(self) -> None:
        """Read the screen after output, with a pause between two readings; for ever."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._time_readiness)
            if self._kind.state_from is not StateFrom.PROCESS:
                nursery.start_soon(self._read_when_told)

    async def _time_readiness(self) -> None:
        await trio.sleep(self._kind.ready_timeout_s)
        if not self.detector.ready:
            self.feed(ReadyTimedOut(at=trio.current_time()))

    async def _read_when_told(self) -> None:
        budget = self._services.reads
        while True:
            await self._wake.wait()
            budget.busy += 1
            try:
                while self._wake.is_set():
                    self._wake = trio.Event()
                    await self.look()
                    await trio.sleep(budget.gap_s)
            finally:
                budget.busy -= 1

    async def look(self) -> ScreenSeen | None:
        """Read the screen and the foreground now; None if tmux or the pane is gone, which others will tell."""
        try:
            seen = await self._services.tmux.capture(self._pane.pane_id, ansi=self._kind.coloured)
            if self._kind.state_from is StateFrom.FOREGROUND:
                await self._see_foreground()
        except TmuxError:
            return None
        cells = read_cells(seen.lines, coloured=self._kind.coloured)
        screen = ScreenSeen(
            at=trio.current_time(),
            lines=cells.lines,
            solid=cells.solid,
            cursor=seen.cursor,
            cursor_visible=seen.cursor_visible,
            title=seen.title,
            alternate=seen.alternate_on,
            in_mode=seen.in_mode,
        )
        self.feed(screen)
        return screen

    async def _see_foreground(self) -> None:
        command = await self._services.tmux.run("display-message", "-p", "-t", self._pane.pane_id, _COMMAND)
        own = foreground_pgid(self._pane.pid) == self._pane.pid
        name = b"".join(command).decode(errors="replace")
        if own:
            self.own_command = name
        self.feed(ForegroundSeen(at=trio.current_time(), command=name, own=own))


def _is_past(since: str, now: str) -> bool:
    """Whether `since` is a time, and not after `now`: it comes from a pane, where anybody may have written it."""
    try:
        return datetime.fromisoformat(since) <= datetime.fromisoformat(now)
    except (ValueError, TypeError):
        return False
