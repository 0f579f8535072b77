"""Messages to agents: the ladder as plain code, and the way from accepted to submitted through a real terminal."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from perf.harness.bench import Scale, benchmark
from perf.harness.growth import Growth
from perf.harness.lab import Lab
from tmuxorc.agents.detect import Detector
from tmuxorc.agents.evidence import ProcessStarted, ScreenSeen
from tmuxorc.agents.kinds import load_kinds
from tmuxorc.delivery import Done, Effect, Ladder, Paste, Press, ReadScreen, Result
from tmuxorc.model import MessageView, Rung

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RULE = "─" * 100


def message(text: str) -> MessageView:
    """A message nothing was done for yet."""
    return MessageView(
        id="m-1",
        sender="operator",
        target="main/a",
        text=text,
        rung=Rung.ACCEPTED,
        detail="",
        created_at=NOW,
        updated_at=NOW,
    )


def screen(*composer: str, history: int = 40) -> ScreenSeen:
    """The demo agent with so much above its composer."""
    rows = [f"❯ {composer[0] if composer else ''}", *(f"  {row}" for row in composer[1:])]
    above = tuple(f"line {n} of what was said before" for n in range(history))
    lines = (*above, RULE, *(row.rstrip() for row in rows), RULE, "  ? for help")
    return ScreenSeen(at=0.0, lines=lines, cursor=(len(rows[-1]), history + len(rows)))


@benchmark(feels="each message keeps the supervisor busy for longer", beside="limits.python_work", counted=True)
def ladder(lab: Lab) -> Iterator[Callable[[], object]]:
    """All decisions of one delivery: look, paste, look, submit, look."""
    kind, sent = load_kinds()["demo"], message("please look at the tests")

    def act() -> None:
        held, effect = "", (run := Ladder(kind, sent, incarnation="1")).begin()
        while not isinstance(effect, Done):
            held, answer = step(effect, held)
            effect = run.answer(answer)
        if effect.rung is not Rung.SUBMITTED:
            raise RuntimeError(f"the delivery ended as {effect.rung}")

    yield act


def step(effect: Effect, held: str) -> tuple[str, Result]:
    """A world in which everything works: what the composer holds now, and the answer."""
    if isinstance(effect, Paste):
        return effect.data.decode(), True
    if isinstance(effect, Press):
        return "", True
    return held, screen(held) if isinstance(effect, ReadScreen) else None


@benchmark(feels="busy agents cost more processor, and states change later", beside="limits.python_work", counted=True)
def detect(lab: Lab) -> Iterator[Callable[[], object]]:
    """The state of an agent from a changed screen."""
    detector, screens = Detector(load_kinds()["demo"]), (screen(), screen("a draft"))
    detector.feed(ProcessStarted(at=0.0))

    def act() -> None:
        for seen in screens:
            detector.feed(seen)

    yield act


@benchmark(feels="a message reaches its agent later", unit="seconds", beside="limits.python_pass", least=8, floor=0.01)
def one(lab: Lab) -> Iterator[Callable[[], float]]:
    """One message to one of fifty idle agents, from the request until it is submitted.

    The pause before the submit key is the agent's own need, the same on every machine, and is not counted.
    """
    crew, pause_s = lab.crew(50), load_kinds()["demo"].deliver.pause_s

    def act() -> float:
        name = crew.turn()
        crew.wait_for(name, "idle")
        elapsed = lab.stopwatch()
        crew.send(name, "echo one", submitted=True)
        return elapsed() - pause_s

    yield act
    crew.settle()


@benchmark(
    feels="a message to everyone reaches the last agent later",
    unit="seconds",
    scale=Scale("agents", (10, 50, 100), growth=Growth.LINEAR),
    beside="limits.python_pass",
    threshold=0.15,
    why="two cores are shared by all the agents that redraw at that moment",
    quick=False,
)
def all_at_once(lab: Lab, agents: int) -> Iterator[Callable[[], float]]:
    """A message to each of many idle agents at the same time: the 95th percentile until submitted."""
    crew = lab.crew(agents)

    def act() -> float:
        crew.settle()
        took: list[float] = []

        def send(name: str) -> None:
            began = time.perf_counter()
            crew.send(name, "echo all", submitted=True)
            took.append(time.perf_counter() - began)

        threads = [threading.Thread(target=send, args=(name,)) for name in crew.names[:agents]]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if len(took) < agents:
            raise RuntimeError("not every message was submitted")
        return sorted(took)[int(0.95 * (agents - 1))]

    yield act
    crew.settle()
