"""The supervisor's core under random histories: S1 to S13 hold whatever happens in whatever order."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.unit.actors._world import EPOCH, ERROR, Paper, child
from tmuxorc.actors import (
    AutoShutdown,
    Backoff,
    ChildExited,
    ChildSpec,
    ChildStarted,
    Failed,
    Finished,
    Killed,
    Restart,
    RestartScheduled,
    Stopped,
    Strategy,
)
from tmuxorc.actors._effects import Effect, Emit, Halt, Launch
from tmuxorc.actors._sequence import Phase
from tmuxorc.model import Desired

IDS = ("a", "b", "c", "d", "e")

backoffs = st.builds(
    Backoff,
    base_s=st.sampled_from((0.0, 1.0, 3.0)),
    cap_s=st.just(10.0),
    jitter=st.just(0.0),
    stable_after_s=st.sampled_from((5.0, 30.0)),
    max_streak=st.integers(0, 3),
    immediate=st.integers(0, 2),
)


@st.composite
def children(draw: st.DrawFn, id: str) -> ChildSpec:
    restart = draw(st.sampled_from(Restart))
    return child(
        id,
        restart,
        backoff=draw(backoffs),
        shutdown_s=draw(st.sampled_from((0.0, 2.0))),
        significant=restart is not Restart.PERMANENT and draw(st.booleans()),
        desired=draw(st.sampled_from((Desired.RUNNING, Desired.RUNNING, Desired.STOPPED))),
    )


class Watched(Paper):
    """Checks every effect against what the specs allow at that moment."""

    orders = 0

    def _take(self, effect: Effect) -> None:
        if isinstance(effect, Launch):
            self._check_launch(effect)
        elif isinstance(effect, Halt):
            self._check_halt(effect)
        elif isinstance(effect, Emit) and isinstance(effect.event, RestartScheduled):
            self._check_restart(effect.event)
        super()._take(effect)

    def _check_launch(self, effect: Launch) -> None:
        known = {info.id: info for info in self.core.children()}
        info = known[effect.id]
        assert self.core.phase in (Phase.STARTING, Phase.RUNNING), "S5: nothing starts while all stops"
        assert info.desired is Desired.RUNNING, "S7: what a person stopped stays stopped"
        before = [e for e in self.events if e.id == effect.id]
        assert all(effect.generation > e.generation for e in before), "S6: generations rise"
        children = self.core._children
        if not children[effect.id].alone:
            earlier = [id for id in list(children)[: list(children).index(effect.id)] if not children[id].alone]
            assert not self.unacknowledged & set(earlier), "S4: each when the one before is up"

    def _check_restart(self, event: RestartScheduled) -> None:
        spec = next(c.spec for c in self.core._children.values() if c.id == event.id)
        assert spec.restart is not Restart.TEMPORARY, "S2"
        assert spec.restart is Restart.PERMANENT or event.reason.abnormal, "S2"
        assert event.delay_s == spec.backoff.delay_s(event.streak - 1, 0.5), "S10"
        assert not 0 < spec.backoff.max_streak < event.streak, "S10: quarantine comes after max_streak"

    def _check_halt(self, effect: Halt) -> None:
        if self.core.phase is Phase.STOPPING and not self.core._children[effect.id].alone:
            ids = [info.id for info in self.core.children()]
            later = ids[ids.index(effect.id) + 1 :]
            assert not self.live.keys() & set(later), "S5: last first, one after another"


class CoreMachine(RuleBasedStateMachine):
    """Incarnations do what they like, operators order what they like, time passes as it likes."""

    @initialize(data=st.data(), strategy=st.sampled_from(Strategy), shutdown=st.sampled_from(AutoShutdown))
    def begin(self, data: st.DataObject, strategy: Strategy, shutdown: AutoShutdown) -> None:
        specs = [data.draw(children(id)) for id in IDS[: data.draw(st.integers(0, 4))]]
        intensity = data.draw(st.integers(0, 4))
        self.paper = Watched(*specs, strategy=strategy, intensity=intensity, period_s=10.0, auto_shutdown=shutdown)
        self.paper.take(self.paper.core.start(self.paper.instant))

    def some_live(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(sorted(self.paper.live)))

    @precondition(lambda self: self.paper.unacknowledged - self.paper.halting.keys())
    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        waiting = sorted(self.paper.unacknowledged - self.paper.halting.keys())
        self.paper.acknowledge(data.draw(st.sampled_from(waiting)))

    @precondition(lambda self: self.paper.live)
    @rule(data=st.data())
    def crash(self, data: st.DataObject) -> None:
        self.paper.crash(self.some_live(data))

    @precondition(lambda self: self.paper.live.keys() - self.paper.unacknowledged)
    @rule(data=st.data(), reason=st.sampled_from((Finished(), Stopped(), Killed(), Failed(ERROR))))
    def end(self, data: st.DataObject, reason: Finished | Stopped | Killed | Failed) -> None:
        up = sorted(self.paper.live.keys() - self.paper.unacknowledged)
        self.paper.end(data.draw(st.sampled_from(up)), reason)

    @precondition(lambda self: self.paper.halting)
    @rule(data=st.data())
    def obey(self, data: st.DataObject) -> None:
        self.paper.obey(data.draw(st.sampled_from(sorted(self.paper.halting))))

    @precondition(lambda self: self.paper.core.deadline < float("inf"))
    @rule()
    def tick(self) -> None:
        self.paper.tick()

    @rule(seconds=st.sampled_from((0.5, 4.0, 40.0)))
    def wait(self, seconds: float) -> None:
        self.paper.tick(to=self.paper.now + seconds)

    @precondition(lambda self: self.paper.core.phase is not Phase.ENDED)
    @rule(verb=st.sampled_from(("stop", "kill", "resume", "restart", "remove")), id=st.sampled_from(IDS))
    def order(self, verb: str, id: str) -> None:
        self.paper.orders += 1
        self.paper.order(verb, id, (self.paper.orders, verb, id))

    @precondition(lambda self: self.paper.core.phase is not Phase.ENDED)
    @rule(data=st.data(), id=st.sampled_from(IDS))
    def add(self, data: st.DataObject, id: str) -> None:
        self.paper.orders += 1
        spec = data.draw(children(id))
        self.paper.take(self.paper.core.add((self.paper.orders, "add", id), spec, self.paper.instant))

    @rule(id=st.sampled_from(IDS), generation=st.integers(0, 3))
    def stale_report(self, id: str, generation: int) -> None:
        """S6: a report of an older generation changes nothing."""
        if self.paper.live.get(id) != generation:
            before = repr(self.paper.core)
            self.paper.take(self.paper.core.exited(id, generation, Failed(ERROR), self.paper.instant))
            self.paper.take(self.paper.core.started(id, generation, self.paper.instant))
            assert repr(self.paper.core) == before

    @precondition(lambda self: self.paper.core.phase is not Phase.ENDED)
    @rule(kill=st.booleans())
    def shutdown(self, kill: bool) -> None:
        self.paper.take(self.paper.core.shutdown(Killed() if kill else Stopped(), self.paper.instant))

    @invariant()
    def intensity_holds(self) -> None:
        """S9: within any period there are no more restarts than allowed."""
        spec = self.paper.core.spec
        at = [(e.at - EPOCH).total_seconds() for e in self.paper.events if isinstance(e, RestartScheduled)]
        for i, first in enumerate(at):
            assert sum(first <= t <= first + spec.period_s for t in at[i:]) <= spec.intensity

    @invariant()
    def idle_means_done(self) -> None:
        """With nothing under way and no timer set, everyone wanted is up and everyone unwanted is down."""
        core = self.paper.core
        if self.paper.halting or self.paper.unacknowledged or core.deadline < float("inf"):
            return
        if core.phase is Phase.RUNNING:
            assert len(self.paper.settled) == self.paper.orders, "an order is forgotten"
            assert {i.status.value for i in core.children()} <= {"running", "stopped", "exited", "quarantined"}
            assert all(i.desired is Desired.STOPPED for i in core.children() if i.status.value == "stopped")
            assert all(i.desired is Desired.RUNNING for i in core.children() if i.status.value == "running")

    def teardown(self) -> None:
        """Whatever came before, a shutdown ends everything and answers everyone."""
        if not hasattr(self, "paper"):
            return
        self.paper.take(self.paper.core.shutdown(Stopped(), self.paper.instant))
        self.paper.settle()
        assert self.paper.ended is not None
        assert not self.paper.live
        assert len(self.paper.settled) == self.paper.orders, "an order was never answered"
        started = {(e.id, e.generation) for e in self.paper.events if isinstance(e, ChildStarted)}
        ended = [(e.id, e.generation) for e in self.paper.events if isinstance(e, ChildExited)]
        assert started <= set(ended), "S24: an exit for each start"
        assert len(ended) == len(set(ended)), "S24: and only one"


CoreMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestCore = CoreMachine.TestCase
