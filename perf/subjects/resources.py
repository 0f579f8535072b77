"""What the supervisor takes from the machine while agents idle, and while all of them redraw."""

import time
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator

from perf.harness.bench import Scale, benchmark
from perf.harness.growth import Growth
from perf.harness.lab import Crew, Lab, children_faults, descriptors, resident_bytes
from perf.subjects.actors import Echo, child
from perf.subjects.limits import share_of_core
from tmuxorc.actors import SupervisorSpec, open_system

Acts = Iterator[Callable[[], float]]
AGENTS = Scale("agents", (1, 10, 50, 100), quick=(50,), growth=Growth.LINEAR)


@benchmark(feels="the supervisor takes more memory", unit="B", scale=AGENTS, beside="limits.trio_memory", least=8)
def memory(lab: Lab, agents: int) -> Acts:
    """The supervisor's resident memory with idle agents."""
    crew = lab.crew(agents)
    yield lambda: resident_bytes(crew.pid)


@benchmark(feels="the supervisor comes closer to the limit of open files", unit="fds", scale=AGENTS, quick=False)
def files(lab: Lab, agents: int) -> Acts:
    """The supervisor's open file descriptors with idle agents."""
    crew = lab.crew(agents)
    yield lambda: descriptors(crew.pid)


@benchmark(
    feels="a laptop's battery empties while agents only wait",
    unit="core",
    scale=Scale("agents", (1, 10, 50, 100), quick=(50,), growth=Growth.LINEAR),
    beside="limits.idle_ticker",
    floor=0.001,
)
def idle(lab: Lab, agents: int) -> Acts:
    """The share of a core the supervisor takes while agents idle."""
    crew = lab.crew(agents)
    crew.settle()
    yield lambda: share_of_core(crew.pid, 1.0)


@benchmark(
    feels="programs are started while nothing happens",
    unit="faults",
    floor=100.0,
    beside="limits.python_pass",
    quick=False,
)
def forks(lab: Lab) -> Acts:
    """Page faults of children that the supervisor or tmux waited for within two seconds: 0 if nothing was forked."""
    crew = lab.crew(50)
    pids = (crew.pid, crew.tmux_pid)

    def act() -> float:
        before = sum(map(children_faults, pids))
        time.sleep(2)
        return sum(map(children_faults, pids)) - before

    crew.settle()
    yield act


@benchmark(
    feels="agents at work slow down everything else on the machine",
    unit="core",
    scale=Scale("agents", (10, 50, 100), growth=Growth.LINEAR),
    beside="limits.idle_ticker",
    quick=False,
)
def redrawing(lab: Lab, agents: int) -> Acts:
    """The share of a core the supervisor takes while all agents redraw ten times a second."""
    crew = lab.crew(agents)
    work(crew, agents)
    yield lambda: share_of_core(crew.pid, 2.0)
    rest(crew, agents)


@benchmark(
    feels="looking at the agents takes longer while they work",
    unit="s/act",
    scale=Scale("agents", (100,), growth=None),
    beside="limits.import_asyncclick",
    quick=False,
)
def list_while_redrawing(lab: Lab, agents: int) -> Iterator[Callable[[], object]]:
    """`tmux-orc list --json` while all agents redraw ten times a second."""
    crew = lab.crew(agents)
    work(crew, agents)
    yield lab.command("list", "--json")
    rest(crew, agents)


def work(crew: Crew, agents: int) -> None:
    """Keep so many agents busy."""
    crew.settle()
    for name in crew.names[:agents]:
        crew.send(name, "spin")
    for name in crew.names[:agents]:
        crew.wait_for(name, "busy")


def rest(crew: Crew, agents: int) -> None:
    """Let them be idle again."""
    for name in crew.names[:agents]:
        crew.press(name, "Escape")
    crew.settle()


@benchmark(
    feels="a supervisor that runs for weeks takes ever more memory",
    unit="B",
    scale=Scale("messages", (2000, 10_000), quick=(2000, 10_000), growth=Growth.FLAT),
    floor=64 * 1024,
)
async def retained(lab: Lab, messages: int) -> AsyncIterator[Callable[[], object]]:
    """The memory still held after so many calls and casts to an actor; nobody would notice 64 KiB."""
    from perf.subjects.actors import Ask

    echo = Echo()
    async with open_system(SupervisorSpec(children=(child("a", echo),))) as tree:
        ref = tree.ref("a")

        async def exchange(count: int) -> None:
            for _ in range(count // 2):
                ref.cast_nowait(1)
                await ref.call(Ask(), timeout_s=5)

        async def act() -> float:
            tracemalloc.start()
            await exchange(1000)  # trio keeps up to a thousand deadlines that have passed
            before, _ = tracemalloc.get_traced_memory()
            await exchange(messages)
            after, _ = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            return max(0, after - before)

        yield act
