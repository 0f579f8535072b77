"""Calibrations: what the machine does at best today.  Budgets are ratios to these; they are not gated themselves."""

import os
import sqlite3
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial

import trio

from perf.harness.bench import benchmark
from perf.harness.lab import Lab, cpu_seconds, resident_bytes

calibration = partial(benchmark, feels="nothing: it is a measure of the machine", gated=False)


def interpreter(lab: Lab, code: str) -> Callable[[], None]:
    """A whole process of the interpreter."""
    argv = (lab.python, "-c", code)
    return lambda: lab.spawn(argv)


@calibration(unit="s/act")
def python_pass(lab: Lab) -> Iterator[Callable[[], None]]:
    """`python -c pass`."""
    yield interpreter(lab, "pass")


@calibration(unit="s/act")
def import_asyncclick(lab: Lab) -> Iterator[Callable[[], None]]:
    """`python -c "import asyncclick"`: the least a command of this kind can cost."""
    yield interpreter(lab, "import asyncclick")


@calibration(unit="s/act")
def tmux_list_panes(lab: Lab, agents: int = 50) -> Iterator[Callable[[], None]]:
    """`tmux list-panes -a` with as many panes as the crew has."""
    crew = lab.crew(agents)
    yield partial(lab.spawn, (lab.tmux, "-N", "-S", crew.tmux_socket, "list-panes", "-a"))


@calibration(unit="s/act")
def tmux_new_window(lab: Lab) -> Iterator[Callable[[], None]]:
    """One `tmux new-window` as a subprocess: what starting a program in tmux costs without us."""
    with plain_tmux(lab) as tmux:
        yield partial(lab.spawn, (*tmux, "new-window", "-d", "--", "sleep", "100"))


@calibration(unit="s/act")
def tmux_subprocess(lab: Lab) -> Iterator[Callable[[], None]]:
    """One tmux command as a subprocess."""
    with plain_tmux(lab) as tmux:
        yield partial(lab.spawn, (*tmux, "display-message", "-p", "#{pane_id}"))


@calibration()
async def trio_channel(lab: Lab) -> AsyncIterator[Callable[[], object]]:
    """A round trip over two bare trio memory channels: what a call costs without actors."""
    ask, asked = trio.open_memory_channel[int](1)
    tell, told = trio.open_memory_channel[int](1)

    async def echo() -> None:
        async for value in asked:
            await tell.send(value)

    async def act() -> None:
        await ask.send(1)
        await told.receive()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(echo)
        yield act
        nursery.cancel_scope.cancel()


@calibration()
async def trio_channel_one_way(lab: Lab) -> AsyncIterator[Callable[[], object]]:
    """A hundred messages through a bare trio memory channel."""
    send, receive = trio.open_memory_channel[int](100)

    async def act() -> None:
        for value in range(100):
            await send.send(value)
        for _ in range(100):
            await receive.receive()

    yield act


@calibration()
async def trio_nursery(lab: Lab) -> AsyncIterator[Callable[[], object]]:
    """Starting a hundred tasks one after another, and cancelling them."""

    async def child(task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        await trio.sleep_forever()

    async def act() -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(100):
                await nursery.start(child)
            nursery.cancel_scope.cancel()

    yield act


@calibration()
def python_work(lab: Lab) -> Iterator[Callable[[], object]]:
    """A million steps' thousandth of plain Python: the unit for pure code."""
    yield partial(_work, 1000)


def _work(steps: int) -> int:
    total = 0
    for step in range(steps):
        total += step & 7
    return total


@calibration(unit="s/act")
def disk_commit(lab: Lab) -> Iterator[Callable[[], object]]:
    """One row committed by SQLite, with the write-ahead log waiting for the disk."""
    db = sqlite3.connect(lab.folder() / "limit.db", isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("CREATE TABLE t (x)")
    yield partial(db.execute, "INSERT INTO t VALUES (?)", ("x" * 200,))
    db.close()


@calibration(unit="s/act")
def socket_round_trip(lab: Lab) -> Iterator[Callable[[], None]]:
    """A connection to a Unix socket, a line there and a line back, with a thread as the other side."""
    import socket
    import threading

    path = str(lab.folder() / "socket")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()

    def serve() -> None:
        while True:
            connection, _ = listener.accept()
            with connection:
                if connection.recv(1000) == b"end\n":
                    return
                connection.sendall(b"hello\n")

    def ask(line: bytes = b"hello\n") -> None:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
            client.sendall(line)
            client.recv(1000)

    thread = threading.Thread(target=serve)
    thread.start()
    yield ask
    ask(b"end\n")
    thread.join()
    listener.close()


@calibration(unit="B")
def trio_memory(lab: Lab) -> Iterator[Callable[[], float]]:
    """The resident memory of `python -c "import trio"`."""
    process = _held(lab, "import trio")
    yield lambda: resident_bytes(process.pid)
    _end(process)


TICKER = """
import threading, time
def tick():
    while True:
        time.sleep(0.01)
threading.Thread(target=tick, daemon=True).start()
"""


@calibration(unit="core")
def idle_ticker(lab: Lab) -> Iterator[Callable[[], float]]:
    """The processor a Python process takes that wakes a hundred times a second to do nothing."""
    process = _held(lab, TICKER)
    yield partial(share_of_core, process.pid, 2.0)
    _end(process)


def share_of_core(pid: int, seconds: float) -> float:
    """The share of one core a process takes, watched for so long."""
    before, began = cpu_seconds(pid), time.monotonic()
    time.sleep(seconds)
    return (cpu_seconds(pid) - before) / (time.monotonic() - began)


def _held(lab: Lab, code: str) -> "subprocess.Popen[bytes]":
    """An interpreter that has run `code`, says so, and stays."""
    program = f"{code}\nimport sys\nprint(flush=True)\nsys.stdin.read()"
    process = subprocess.Popen(
        [lab.python, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=lab.environment
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.communicate()


class plain_tmux:  # noqa: N801
    """A bare tmux server of the lab's own; gives the beginning of its command lines."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._argv = (lab.tmux, "-f", os.devnull, "-S", str(lab.folder() / "tmux.sock"))

    def __enter__(self) -> tuple[str, ...]:
        self._lab.run(*self._argv, "new-session", "-d", "-x", "200", "-y", "50", "sleep", "1000")
        return self._argv

    def __exit__(self, *_: object) -> None:
        self._lab.run(*self._argv, "kill-server", check=False)
