"""The tmux layer: everything agents print passes the parser, everything done to panes the connection."""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from perf.harness.bench import Scale, benchmark
from perf.harness.growth import Growth
from perf.harness.lab import Lab
from tmuxorc.agents.escapes import EscapeScanner
from tmuxorc.tmux import Endpoint, PaneSpec, Tmux, open_tmux, quote
from tmuxorc.tmux._protocol import ControlParser, Output

RECORDED = Path(__file__).parent.parent / "recorded"
READ = 16384
"""Bytes in one read of the connection."""


def recorded() -> bytes:
    """What tmux sent while four agents worked, screens were read and a long listing was printed."""
    return (RECORDED / "agents.control").read_bytes()


@benchmark(feels="busy agents cost more processor", beside="limits.python_work", counted=True)
def parse(lab: Lab) -> Iterator[Callable[[], object]]:
    """A recorded stream, in reads of 16 KiB, to events with their data unescaped and scanned."""
    stream = recorded()
    pieces = [stream[at : at + READ] for at in range(0, len(stream), READ)]

    def act() -> None:
        parser, scanner = ControlParser(), EscapeScanner()
        for piece in pieces:
            for event in parser.feed(piece):
                if isinstance(event, Output):
                    scanner.feed(event.data, 0.0)

    yield act


@benchmark(
    feels="an agent that prints very much slows everything down",
    scale=Scale("KiB", (64, 256, 1024), quick=(64, 256, 1024), growth=Growth.LINEAR, slack=0.5),
)
def parse_long(lab: Lab, size: int) -> Iterator[Callable[[], object]]:
    """One reply of many lines, cut into small reads; lines that leave the processor's caches cost more each."""
    line = b"x" * 79 + b"\n"
    stream = b"%begin 1 2 1\n" + line * (size * 1024 // len(line)) + b"%end 1 2 1\n"
    pieces = [stream[at : at + 4096] for at in range(0, len(stream), 4096)]

    def act() -> None:
        parser = ControlParser()
        for piece in pieces:
            parser.feed(piece)

    yield act


@benchmark(feels="messages with odd characters take longer to send", counted=True)
def quoting(lab: Lab) -> Iterator[Callable[[], object]]:
    """Write a long argument so that tmux reads it as it is."""
    text = "it's $HOME and #{pane_id}; \\ naïve 漢字 " * 50
    yield partial(quote, text)


@asynccontextmanager
async def opened(lab: Lab) -> AsyncIterator[Tmux]:
    """A connection to a server of the lab's own."""
    socket = str(lab.folder() / "tmux.sock")
    endpoint = Endpoint(binary=lab.tmux, socket_path=socket, config=os.devnull)
    try:
        async with open_tmux(endpoint, instance="perf") as tmux:
            lab.companions.add(tmux.server_pid)
            yield tmux
            lab.companions.discard(tmux.server_pid)
    finally:
        lab.run(lab.tmux, "-N", "-S", socket, "kill-server", check=False)


@benchmark(feels="everything done to a pane takes longer", beside="limits.tmux_subprocess")
async def command(lab: Lab) -> AsyncIterator[Callable[[], object]]:
    """One command and its reply."""
    async with opened(lab) as tmux:
        yield partial(tmux.run, "display-message", "-p", "#{pane_id}")


@benchmark(feels="adopting many agents takes longer", beside="limits.tmux_subprocess")
async def pipelined(lab: Lab) -> AsyncIterator[Callable[[], object]]:
    """A hundred commands written at once."""
    async with opened(lab) as tmux:
        yield partial(tmux.run_many, [("display-message", "-p", "#{pane_id}")] * 100)


@benchmark(feels="reading a screen takes longer, and with it each delivery")
async def capture(lab: Lab) -> AsyncIterator[Callable[[], object]]:
    """The visible screen of a pane of 200 × 50."""
    async with opened(lab) as tmux:
        session = await tmux.ensure_team_session("perf")
        pane = await tmux.create_pane(session, PaneSpec(name="ls", argv=("ls", "-la", "/etc"), cwd="/"))
        yield partial(tmux.capture, pane.pane_id)


@benchmark(feels="each agent takes longer to start", beside="limits.tmux_new_window", unit="s/act")
async def create_pane(lab: Lab) -> AsyncIterator[Callable[[], object]]:
    """A window with a program in it, linked where it belongs."""
    async with opened(lab) as tmux:
        session = await tmux.ensure_team_session("perf")
        yield partial(tmux.create_pane, session, PaneSpec(name="s", argv=("sleep", "100"), cwd="/"))


@benchmark(feels="nothing: what libtmux takes for the same as `tmux.command`", gated=False, quick=False)
def by_libtmux(lab: Lab) -> Iterator[Callable[[], object]]:
    """One command by libtmux."""
    import libtmux

    server = libtmux.Server(socket_path=str(lab.folder() / "tmux.sock"), config_file=os.devnull)
    server.new_session("perf", window_command="sleep 1000")
    yield lambda: server.cmd("display-message", "-p", "#{pane_id}")
    server.kill()
