"""The life of agents and of the supervisor, measured from the request or the accident to its effect."""

import os
import signal
from collections.abc import Callable, Iterator

from perf.harness.bench import Scale, benchmark
from perf.harness.growth import Growth
from perf.harness.lab import Lab

Acts = Iterator[Callable[[], float]]
WINDOW = "limits.tmux_new_window"


@benchmark(feels="a new agent takes longer to be there", unit="seconds", beside=WINDOW, least=10)
def spawn(lab: Lab) -> Acts:
    """From the request to the agent's process, with fifty others running."""
    crew = lab.crew(50)
    number = 0

    def act() -> float:
        nonlocal number
        number += 1
        elapsed = lab.stopwatch()
        crew.add(f"new{number}", kind="command", command=("sleep", "1000"))
        took = elapsed()
        crew.remove(f"new{number}")
        return took

    yield act


@benchmark(feels="a crashed agent comes back later", unit="seconds", beside=WINDOW, least=10)
def crash(lab: Lab) -> Acts:
    """From `kill -9` of an agent to its next process, with fifty agents; each agent crashes once."""
    crew = lab.crew(50)
    number = 0

    def act() -> float:
        nonlocal number
        number += 1
        view = crew.add(f"mortal{number}", kind="command", command=("sleep", "1000"))
        elapsed = lab.stopwatch()
        os.kill(view.pid, signal.SIGKILL)
        crew.restarted(view.name, view.generation)
        took = elapsed()
        crew.remove(view.name)
        return took

    yield act


@benchmark(feels="the first command of the day takes longer", unit="seconds", beside="limits.python_pass", quick=False)
def cold_start(lab: Lab) -> Acts:
    """`tmux-orc daemon start` where nothing runs yet, tmux server included."""
    environment, program = dict(lab.environment), lab.program("tmux-orc")

    def act() -> float:
        lab.environment |= {"TMUX_ORC_INSTANCE": "cold"}
        elapsed = lab.stopwatch()
        lab.run(program, "daemon", "start")
        took = elapsed()
        lab.run(program, "daemon", "stop", "--agents")
        lab.run("tmux", "-N", "-L", "tmuxorc-cold", "kill-server", check=False)
        return took

    yield act
    lab.environment.clear()
    lab.environment.update(environment)


@benchmark(
    feels="after a crash of the supervisor it takes longer until agents are looked after again",
    unit="seconds",
    scale=Scale("agents", (10, 50, 100), growth=Growth.LINEAR),
    beside="limits.python_pass",
    least=8,
    quick=False,
)
def adoption(lab: Lab, agents: int) -> Acts:
    """From a command that finds no supervisor to its answer, which lists every agent with the pid it had."""
    crew = lab.crew(agents)
    crew.settle()
    program = lab.program("tmux-orc")

    def pids() -> dict[str, int | None]:
        import msgspec

        listed = msgspec.json.decode(lab.run(program, "list", "--json"))["agents"]
        return {view["address"]: view["pid"] for view in listed}

    def act() -> float:
        before = pids()
        os.kill(crew.pid, signal.SIGKILL)
        elapsed = lab.stopwatch()
        after = pids()
        took = elapsed()
        if after != before:
            raise RuntimeError("not every agent was adopted")
        crew.renew()
        return took

    yield act
