"""Panes for tests, watched, with waiting for what they show, do and write, always with a deadline."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import trio

from tmuxorc.tmux import Capture, PaneInfo, PaneOutput, PaneSpec, Tmux

DEADLINE_S = 10.0
Event = TypeVar("Event")

READER = """
import os, sys, termios, tty
tty.setraw(0)
sys.stdout.write("\\x1b[?2004h" * (sys.argv[2] == "bracketed") + "ready\\r\\n"); sys.stdout.flush()
total = 0
with open(sys.argv[1], "wb", 0) as file:
    while data := os.read(0, 65536):
        file.write(data)
        total += len(data)
        os.write(1, b"<%d>" % total)
"""
"""Writes every byte it is given to a file, and on the screen how many there were."""


class Record:
    """Events as they come; `wait` for one that fits."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self._more = trio.Event()

    def __call__(self, event: Any) -> None:
        self.events.append(event)
        self._more.set()

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        """Until `condition` holds; looked at whenever an event comes."""
        with trio.fail_after(DEADLINE_S):
            while not condition():
                self._more = trio.Event()
                await self._more.wait()

    async def wait(self, kind: type[Event], fits: Callable[[Event], bool] = lambda _: True) -> Event:
        """The first event of this kind that fits, past or coming."""
        await self.wait_until(lambda: any(isinstance(event, kind) and fits(event) for event in self.events))
        return next(event for event in self.events if isinstance(event, kind) and fits(event))

    @property
    def output(self) -> bytes:
        """All output so far."""
        return b"".join(event.data for event in self.events if isinstance(event, PaneOutput))

    async def wait_output(self, part: bytes) -> None:
        """Until the output so far holds `part`."""
        await self.wait_until(lambda: part in self.output)


class WatchedPane(Record):
    """One pane with everything that happened to it."""

    info: PaneInfo

    def __init__(self, tmux: Tmux) -> None:
        super().__init__()
        self.tmux = tmux

    @property
    def id(self) -> str:
        """Its pane id."""
        return self.info.pane_id

    @property
    def pid(self) -> int:
        """The process it was made with."""
        return self.info.pid

    async def wait_screen(self, shows: Callable[[Capture], bool]) -> Capture:
        """Until the screen is as wanted; looked at whenever something happens to the pane."""
        with trio.fail_after(DEADLINE_S):
            while True:
                seen, known = await self.tmux.capture(self.id), len(self.events)
                if shows(seen):
                    return seen
                await self.wait_until(lambda known=known: len(self.events) > known)


class Panes:
    """Makes panes in one session."""

    def __init__(self, tmux: Tmux, session: str, cwd: str) -> None:
        self.tmux = tmux
        self.session = session
        self.cwd = cwd

    async def __call__(self, *argv: str, **options: Any) -> WatchedPane:
        """A pane that runs `argv`; `options` are fields of its `PaneSpec`."""
        spec = PaneSpec(**{"name": "pane", "argv": argv, "cwd": self.cwd, **options})
        pane = WatchedPane(self.tmux)
        pane.info = await self.tmux.create_pane(self.session, spec, pane)
        return pane

    async def python(self, script: str, *args: str, **options: Any) -> WatchedPane:
        """A pane that runs a Python script; it says ``ready`` first thing, so the rest is seen."""
        return await self(sys.executable, "-ISc", script, *args, **options)

    async def reader(self, file: Path, *, bracketed: bool = True) -> "Reader":
        """A pane whose program writes every byte it gets to `file`; ready to read."""
        pane = await self.python(READER, str(file), "bracketed" if bracketed else "plain")
        await pane.wait_screen(lambda screen: "ready" in screen.lines)
        return Reader(pane, file)


class Reader:
    """A pane whose program writes down what it gets."""

    def __init__(self, pane: WatchedPane, file: Path) -> None:
        self.pane = pane
        self.id = pane.id
        self._file = file

    async def got(self, size: int) -> bytes:
        """All it got, once that is `size` bytes."""
        await self.pane.wait_output(b"<%d>" % size)
        return self._file.read_bytes()
