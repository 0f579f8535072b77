"""The socket protocol: every command is a request and an answer."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial

import msgspec
import trio

from perf.harness.bench import Scale, benchmark
from perf.harness.environments import ROOT
from perf.harness.growth import Growth
from perf.harness.lab import Lab
from tmuxorc.model import AgentState, AgentView, Desired, Restart
from tmuxorc.wire import codec
from tmuxorc.wire.client import Client
from tmuxorc.wire.framing import LineBuffer
from tmuxorc.wire.methods import AGENT_LIST, PROTOCOL, AgentList, HelloReply, ListAgents

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SERVER = "import sys; sys.path.insert(0, sys.argv[1]); from perf.subjects import wire; wire.serve_list(sys.argv[2])"
AGENTS = Scale("agents", (1, 10, 50, 100, 500), quick=(1, 50, 500), growth=Growth.LINEAR)


def agent(number: int) -> AgentView:
    """A view of the usual size."""
    return AgentView(
        name=f"agent-{number}",
        team="main",
        address=f"main/agent-{number}",
        kind="demo",
        role="reviewer",
        state=AgentState.IDLE,
        state_since=NOW,
        detail="",
        desired=Desired.RUNNING,
        generation=3,
        restarts=2,
        restart=Restart.TRANSIENT,
        restart_at=None,
        last_exit=None,
        pane=f"%{number}",
        window=f"@{number}",
        pid=1000 + number,
        cwd="/home/somebody/project",
        command=("python", "-I", "-m", "tmuxorc.agents.demo"),
        brief="look after the tests",
        adopted=False,
        created_at=NOW,
        messages_waiting=0,
    )


def agents(size: int) -> AgentList:
    """A list of so many."""
    return AgentList(agents=tuple(map(agent, range(size))))


@benchmark(feels="lists of many agents are slower to come", scale=AGENTS, beside="limits.python_work", counted=True)
def encode(lab: Lab, size: int) -> Iterator[Callable[[], object]]:
    """A list of agents to a line."""
    yield partial(codec.encode_result, 1, agents(size))


@benchmark(feels="lists of many agents are slower to show", scale=AGENTS, beside="limits.python_work", counted=True)
def decode(lab: Lab, size: int) -> Iterator[Callable[[], object]]:
    """A line to a list of agents, as the client does it."""
    line = codec.encode_result(1, agents(size))

    def act() -> None:
        (read,) = LineBuffer().feed(line)
        codec.decode_from_peer(codec.decode_frame(read).result, AgentList)  # type: ignore[arg-type]

    yield act


@benchmark(
    feels="large messages take longer than their size explains",
    scale=Scale("KiB", (16, 256, 4096), quick=(16, 256, 4096), growth=Growth.LINEAR, slack=0.5),
)
def framing(lab: Lab, size: int) -> Iterator[Callable[[], object]]:
    """A long line that comes in pieces of 64 KiB at most; those that leave the processor's caches cost more a byte."""
    line = msgspec.json.encode("x" * (size * 1024)) + b"\n"
    pieces = [line[at : at + 65536] for at in range(0, len(line), 65536)]

    def act() -> None:
        buffer = LineBuffer()
        for piece in pieces:
            buffer.feed(piece)

    yield act


@benchmark(feels="every command waits longer for its answer", beside="limits.socket_round_trip")
def request(lab: Lab) -> Iterator[Callable[[], object]]:
    """Connect, greet, ask for a list of fifty agents, and hang up, against a server that has the answer ready.

    The server is a process of its own: two threads of one would wait for each other's turn at the interpreter.
    """
    path = str(lab.folder() / "socket")
    with served(lab, path) as server:
        lab.companions.add(server)

        def act() -> None:
            with Client.connect(path) as client:
                client.call(AGENT_LIST, ListAgents())

        yield act
        lab.companions.discard(server)


@contextmanager
def served(lab: Lab, path: str) -> Iterator[int]:
    """A server at `path` in a process of its own; its pid."""
    argv = [lab.python, "-P", "-c", SERVER, str(ROOT), path]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, env=lab.environment) as process:
        assert process.stdout is not None
        if process.stdout.readline() != b"ready\n":
            raise RuntimeError("the server did not start")
        yield process.pid
        process.terminate()


def serve_list(path: str) -> None:
    """Answer every request for the agents with the same fifty, until terminated."""
    from tmuxorc.wire.server import Session, open_listener, serve

    answer = agents(50)

    async def answer_list(params: ListAgents, session: Session) -> AgentList:
        return answer

    async def main() -> None:
        async with open_listener(path) as listener, trio.open_nursery() as nursery:
            hello = HelloReply(protocol=PROTOCOL, version="0", instance="perf", pid=os.getpid())
            await nursery.start(partial(serve, listener, {AGENT_LIST.name: answer_list}, hello))
            print("ready", flush=True)

    trio.run(main)
