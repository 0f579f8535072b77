"""Playing a recording into a pane of a real tmux, with the whole detector looking on.

``python -m tests.recordings.replay FILE [KINDS_DIR]`` shows what was told at each marker, of which screen.

The pane's process copies a FIFO to its terminal.  Up to each marker the recording is written there, and behind it a
sequence that no terminal knows; once that comes back in tmux's output, tmux has drawn everything before it.
"""

import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import trio

from tests.recordings import cast as casts
from tests.recordings.cast import Cast, Event, Mark
from tests.recordings.scenario import size_of
from tests.support import TmuxServer, find_test_tmux
from tmuxorc.agents import Detector, EscapeScanner, Kind, load_kinds
from tmuxorc.agents.cells import read_cells
from tmuxorc.agents.evidence import ChannelSaid, Evidence, Exited, HookSaid, ProcessStarted, ScreenSeen, State
from tmuxorc.agents.prompts import read_prompt
from tmuxorc.model import AgentState, Prompt
from tmuxorc.tmux import Endpoint, PaneEvent, PaneInfo, PaneOutput, PaneSpec, Tmux, open_tmux

PLAYER = 'stty raw -echo && exec cat "$0"'
DEADLINE_S = 30.0


@dataclass(frozen=True)
class Seen:
    """What the detector said at one marker, of which screen, every rule that held, and the prompt that was read."""

    mark: Mark
    state: State
    screen: ScreenSeen
    matches: tuple[State, ...]
    prompt: Prompt | None = None

    @property
    def detail(self) -> str:
        """Everything that is told beside the state."""
        prompt = (self.prompt.question, self.prompt.command) if self.prompt else ()
        return "\n".join((self.state.detail, *prompt))


class Player:
    """A pane that shows what is written to it; `said` counts its evidence."""

    def __init__(self, tmux: Tmux, kind: Kind, detector: Detector, fifo: trio.lowlevel.FdStream) -> None:
        self._tmux = tmux
        self._kind = kind
        self._fifo = fifo
        self._detector = detector
        self._scanner = EscapeScanner()
        self._clock = count(1)
        self._syncs = count(1)
        self._tail = b""
        self._more = trio.Event()
        self.info: PaneInfo | None = None

    def __call__(self, event: PaneEvent) -> None:
        """Take in what happens to the pane."""
        if isinstance(event, PaneOutput):
            for evidence in self._scanner.feed(event.data, next(self._clock)):
                self._detector.feed(evidence)
            self._tail = (self._tail + event.data)[-200:]
            self._more.set()

    def say(self, evidence: Evidence) -> None:
        """Give the detector something else than output."""
        self._detector.feed(evidence)

    @property
    def now(self) -> float:
        """A time later than all before."""
        return float(next(self._clock))

    async def write(self, data: bytes) -> None:
        """Show `data`; returns once tmux has drawn it."""
        sync = b"\x1b]7777;%d\x07" % next(self._syncs)
        with trio.fail_after(DEADLINE_S):
            await self._fifo.send_all(data + sync)
            while sync not in self._tail:
                self._more = trio.Event()
                await self._more.wait()

    async def resize(self, columns: int, rows: int) -> None:
        """Give the pane another size."""
        assert self.info is not None
        await self._tmux.run("resize-window", "-t", self.info.window_id, "-x", str(columns), "-y", str(rows))

    async def look(self) -> ScreenSeen:
        """Read the screen, and show it to the detector."""
        assert self.info is not None
        seen = await self._tmux.capture(self.info.pane_id, ansi=self._kind.coloured)
        cells = read_cells(seen.lines, coloured=self._kind.coloured)
        screen = ScreenSeen(
            at=self.now,
            lines=cells.lines,
            solid=cells.solid,
            cursor=seen.cursor,
            cursor_visible=seen.cursor_visible,
            title=seen.title,
            alternate=seen.alternate_on,
            in_mode=seen.in_mode,
        )
        self.say(screen)
        return screen


@asynccontextmanager
async def player(server: TmuxServer, kind: Kind, detector: Detector, size: tuple[int, int]) -> AsyncIterator[Player]:
    """A player in a pane of `size`, on a server that the caller ends."""
    fifo = Path(server.socket_path).with_name(f"fifo-{os.getpid()}")
    os.mkfifo(fifo)
    endpoint = Endpoint(binary=server.binary, socket_path=server.socket_path, config="/dev/null")
    try:
        # Opened for both, neither this nor the first write waits for the other side.
        async with (
            trio.lowlevel.FdStream(os.open(fifo, os.O_RDWR | os.O_NONBLOCK)) as stream,
            open_tmux(endpoint, instance="replay", size=size) as tmux,
        ):
            playing = Player(tmux, kind, detector, stream)
            spec = PaneSpec(name="replay", argv=("sh", "-c", PLAYER, str(fifo)), cwd="/")
            session = await tmux.ensure_team_session("replay")
            playing.info = await tmux.create_pane(session, spec, playing)
            yield playing
            await tmux.close_pane(playing.info.pane_id)
    finally:
        fifo.unlink()


async def replay(cast: Cast, kind: Kind, server: TmuxServer) -> list[Seen]:
    """Play the recording; what the detector for `kind` said at each marker."""
    detector = Detector(kind)
    found: list[Seen] = []
    async with player(server, kind, detector, cast.size) as playing:
        playing.say(ProcessStarted(at=0))
        for segment in cast.segments():
            for event in joined(segment):
                await _play(playing, event)
            screen = await playing.look()
            prompt = read_prompt(kind, screen) if detector.state.state is AgentState.BLOCKED else None
            found.append(Seen(Mark.parse(segment[-1].data), detector.state, screen, tuple(detector.matches()), prompt))
    return found


def joined(events: list[Event]) -> list[Event]:
    """The same with consecutive output as one event: between two looks nobody sees the difference."""
    found: list[Event] = []
    for event in events:
        if found and found[-1].code == event.code == "o":
            found[-1] = Event(event.at_s, "o", found[-1].data + event.data)
        else:
            found.append(event)
    return found


async def _play(playing: Player, event: Event) -> None:
    if event.code == "o":
        await playing.write(event.data.encode())
    elif event.code == "r":
        await playing.resize(*size_of(event.data))
    elif event.code == "x-hook":
        playing.say(HookSaid(at=playing.now, event=event.data))
    elif event.code == "x-channel":
        playing.say(ChannelSaid(at=playing.now, channel="recorded", said=event.data))
    elif event.code == "x-exit":
        status = int(event.data) if event.data.isdecimal() else None
        playing.say(Exited(at=playing.now, status=status, signal=None if status is not None else event.data))


def verdict(seen: Seen) -> str:
    """A line on one marker."""
    told = seen.state
    sign = "ok" if seen.mark.allows(told.state) else "unknown" if told.state is AgentState.UNKNOWN else "WRONG"
    return f"{sign:8}{seen.mark}  told: {told.state.value} {told.detail!r} by {told.rule or told.source}"


def shown(seen: Seen) -> str:
    """The same with the rules that held, and the screen."""
    screen = seen.screen
    others = ", ".join(f"{state.rule} {state.state.value}" for state in seen.matches) or "none"
    about = f"title {screen.title!r}, cursor {screen.cursor} {'shown' if screen.cursor_visible else 'hidden'}"
    lines = (f"  {row:3} {line}" for row, line in enumerate(screen.lines) if line.strip())
    prompt = [f"  prompt: {seen.prompt}"] if seen.prompt else []
    return "\n".join([verdict(seen), f"  rules that held: {others}", *prompt, f"  {about}", *lines])


def main() -> None:
    """Show a recording's markers; another directory of kinds may be given."""
    cast = casts.read(Path(sys.argv[1]))
    kinds = load_kinds(*sys.argv[2:3])
    kind = kinds.get(cast.kind, kinds["demo"])
    with tempfile.TemporaryDirectory(prefix="rp-", dir="/tmp") as folder:
        server = TmuxServer(find_test_tmux(), f"{folder}/tmux.sock")
        try:
            print(*map(shown, trio.run(replay, cast, kind, server)), sep="\n")
        finally:
            server.kill()


if __name__ == "__main__":
    main()
