"""One process in one environment: holds a benchmark open and takes samples when told to.

It reads commands and writes answers as JSON lines, so that the parent can interleave several environments.  While it
waits for the next command nothing runs here, not even trio.
"""

import gc
import inspect
import json
import os
import sys
import traceback
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from perf.harness.bench import Benchmark, find
from perf.harness.lab import Lab

Act = Callable[[], Any]
AsyncAct = Callable[[], Awaitable[Any]]
Stopwatch = Callable[[], Callable[[], float]]

BATCH_S = 0.004
"""How long a batch of quick acts should take: long against the clock's steps, short against the scheduler's."""

TIMED = ("s", "s/act")

BATCHES = 3
"""Of so many batches the shortest counts: a neighbour can only add."""


def clock(loops: int, act: Act, stopwatch: Stopwatch) -> float:
    """Seconds that one of `loops` acts in a row takes."""
    turns = range(loops)
    elapsed = stopwatch()
    for _ in turns:
        act()
    return elapsed() / loops


async def clock_async(loops: int, act: AsyncAct, stopwatch: Stopwatch) -> float:
    """As `clock`, for an async act."""
    turns = range(loops)
    elapsed = stopwatch()
    for _ in turns:
        await act()
    return elapsed() / loops


def loops_for(once_s: float) -> int:
    """How many acts make a batch."""
    return max(1, round(BATCH_S / once_s)) if once_s > 0 else 1000


def wanted(commands: Iterator[dict[str, Any]], timed: bool) -> Iterator[int]:
    """How many samples are asked for, until the benchmark is closed.

    Those that are timed are taken on the processor that the parent names: no two are equally fast, and head and base
    must not each have one of their own.
    """
    everywhere = processors()
    for command in commands:
        if command["do"] == "close":
            return
        if timed and len(everywhere) > 1:
            with on_processor(everywhere, command["turn"]):
                yield int(command["count"])
        else:
            yield int(command["count"])


def processors() -> list[int]:
    """Those this process may run on; none where the system does not tell."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


@contextmanager
def on_processor(everywhere: list[int], turn: int) -> Iterator[None]:
    """Run on one of the processors; whose turn it is changes with each round."""
    os.sched_setaffinity(0, {everywhere[turn % len(everywhere)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, everywhere)


class Worker:
    """Serves one parent until it hangs up."""

    def __init__(self, source: TextIO, sink: TextIO) -> None:
        self._commands = map(json.loads, source)
        self._sink = sink
        self._lab = Lab()

    def run(self) -> None:
        """Open one benchmark after the other."""
        self.tell(root=str(self._lab.root))
        try:
            for command in self._commands:
                if command["do"] == "open":
                    with self._reported():
                        self._hold(find(command["name"]), command["point"])
        finally:
            self._lab.close()

    def tell(self, **answer: object) -> None:
        """Answer one command."""
        self._sink.write(json.dumps(answer) + "\n")
        self._sink.flush()

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except Exception:  # noqa: BLE001 - whatever it is, the parent is told
            self.tell(error=traceback.format_exc())

    def _hold(self, benchmark: Benchmark, point: int | None) -> None:
        self._lab.companions = set()
        arguments = (self._lab,) if point is None else (self._lab, point)
        generator = benchmark.set_up(*arguments)
        if benchmark.is_async:
            import trio

            trio.run(self._serve_async, benchmark, generator)
        else:
            self._serve(benchmark, generator)
        self.tell(closed=True)

    def _serve(self, benchmark: Benchmark, generator: Any) -> None:
        act = next(generator)
        try:
            loops = 1
            if benchmark.unit == "s" and clock(1, act, self._lab.stopwatch) < BATCH_S:
                loops = loops_for(clock(3, act, self._lab.stopwatch))
                clock(loops, act, self._lab.stopwatch)
            gc.collect()
            gc.freeze()
            self.tell(loops=loops)
            for count in wanted(self._commands, benchmark.unit in TIMED):
                self.tell(values=[self._take(benchmark, loops, act) for _ in range(count)])
        finally:
            gc.unfreeze()
            next(generator, None)

    def _take(self, benchmark: Benchmark, loops: int, act: Act) -> float:
        """One sample."""
        if benchmark.unit not in TIMED:
            return float(act())
        return min(clock(loops, act, self._lab.stopwatch) for _ in range(BATCHES if loops > 1 else 1))

    async def _take_async(self, benchmark: Benchmark, loops: int, act: AsyncAct) -> float:
        if benchmark.unit not in TIMED:
            return float(await act())
        return min([await clock_async(loops, act, self._lab.stopwatch) for _ in range(BATCHES if loops > 1 else 1)])

    async def _serve_async(self, benchmark: Benchmark, generator: Any) -> None:
        act = await anext(generator)
        try:
            loops = 1
            if benchmark.unit == "s" and await clock_async(1, act, self._lab.stopwatch) < BATCH_S:
                loops = loops_for(await clock_async(3, act, self._lab.stopwatch))
                await clock_async(loops, act, self._lab.stopwatch)
            gc.collect()
            gc.freeze()
            self.tell(loops=loops)
            for count in wanted(self._commands, benchmark.unit in TIMED):
                self.tell(values=[await self._take_async(benchmark, loops, act) for _ in range(count)])
        finally:
            gc.unfreeze()
            await anext(generator, None)


def main() -> None:
    """Serve whoever holds our standard streams; what benchmarks print goes to standard error."""
    sink = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    Worker(sys.stdin, sink).run()


def count(name: str, point: int | None, acts: int) -> None:
    """Perform a fixed number of acts, to be counted from outside."""
    lab = Lab()
    gc.disable()  # when it runs depends on all that was allocated before
    try:
        generator = find(name).set_up(*((lab,) if point is None else (lab, point)))
        act = next(generator)
        assert not inspect.isawaitable(act)
        for _ in range(acts):
            act()
        next(generator, None)
    finally:
        lab.close()
