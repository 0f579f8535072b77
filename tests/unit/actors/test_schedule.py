"""The shell under drawn schedules, one virtual run each: whatever is done when, the tree stays whole and answers."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from tests.unit.actors._probe import Crash, Echo, Exit, Record, Sleep, fail
from tmuxorc.actors import (
    Backoff,
    ChildSpec,
    Finished,
    GaveUp,
    Restart,
    Stopped,
    Strategy,
    SupervisorSpec,
    System,
    open_system,
)
from tmuxorc.errors import TmuxOrcError

IDS = ("a", "b", "c")
MESSAGES = (
    Crash(ValueError("boom")),
    Exit(Finished()),
    Exit(Stopped()),
    Sleep(3),
    Sleep(1000),
    Echo("x"),
)
VERBS = ("stop_child", "kill_child", "resume_child", "restart_child", "remove_child", "start_child")
TRAITS: dict[str, Callable[[], Awaitable[None]]] = {
    "quick": trio.lowlevel.checkpoint,
    "slow": partial(trio.sleep, 2),
    "endless": trio.sleep_forever,
    "broken": partial(fail, ValueError("trait")),
}

steps = st.lists(
    st.tuples(
        st.sampled_from((0.0, 0.0, 1.0, 5.0)),
        st.sampled_from(IDS),
        st.one_of(
            st.sampled_from(MESSAGES), st.sampled_from(VERBS), st.tuples(st.booleans(), st.sampled_from([*TRAITS]))
        ),
    ),
    max_size=14,
)


class Play:
    """Carries out one schedule and counts the answers."""

    def __init__(self, strategy: Strategy, restart: Restart) -> None:
        self.record = Record()
        self.restart = restart
        self.asked = self.answered = 0
        self.tree = SupervisorSpec(strategy=strategy, intensity=6, period_s=5.0, children=tuple(map(self.spec, IDS)))

    def spec(self, id: str) -> ChildSpec:
        backoff = Backoff(jitter=0.0, max_streak=3)
        return self.record.spec(id, self.restart, backoff=backoff, shutdown_s=2.0, start_timeout_s=4.0)

    async def run(self, script: list[tuple[float, str, object]]) -> None:
        async with open_system(self.tree, on_event=self.record.on_event, kill_limit_s=1.0) as system:
            async with trio.open_nursery() as nursery:
                for delay, id, deed in script:
                    await trio.sleep(delay)
                    self.do(nursery, system, id, deed)
            await trio.sleep(100)
            await self.check(system)

    def do(self, nursery: trio.Nursery, system: System, id: str, deed: object) -> None:
        match deed:
            case str():
                nursery.start_soon(self.order, system, deed, id)
            case tuple():
                (self.record.starting if deed[0] else self.record.stopping)[id] = TRAITS[deed[1]]
            case _:
                nursery.start_soon(self.send, system, id, deed)

    async def order(self, system: System, verb: str, id: str) -> None:
        self.asked += 1
        with suppress(TmuxOrcError, ValueError):
            await getattr(system.root, verb)(self.spec(id) if verb == "start_child" else id)
        self.answered += 1

    async def send(self, system: System, id: str, message: Echo) -> None:
        self.asked += 1
        with suppress(TmuxOrcError):
            await system.ref(id).call(message, timeout_s=50)
        self.answered += 1

    async def check(self, system: System) -> None:
        """All is quiet: nobody is half up or half down, and everyone was answered."""
        assert self.asked == self.answered
        try:
            infos = await system.root.children()
        except TmuxOrcError:
            return
        for info in infos:
            assert info.status.value in {"running", "stopped", "exited", "quarantined"}
            assert system.ref(info.id).statistics().alive is (info.status.value == "running")


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(Strategy), st.sampled_from(Restart), steps)
def test_any_schedule(strategy: Strategy, restart: Restart, script: list[tuple[float, str, object]]) -> None:
    """S4 to S13, S20: crashes, exits, slow and broken starts and stops, orders, in any order and at any time."""
    play = Play(strategy, restart)

    async def main() -> None:
        with trio.fail_after(86_400):
            try:
                await play.run(script)
            except GaveUp:
                assert "SupervisorGaveUp" in play.record.told("root")

    trio.run(main, clock=MockClock(autojump_threshold=0))
    ups = [(e.id, e.generation) for e in play.record.events if type(e).__name__ == "ChildStarted"]
    downs = [
        (e.id, e.generation) for e in play.record.events if type(e).__name__ in ("ChildExited", "ChildStartFailed")
    ]
    assert set(ups) <= set(downs), "S24: each start has its exit"
    assert len(downs) == len(set(downs))
