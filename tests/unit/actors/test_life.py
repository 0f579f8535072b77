"""The shell: starts, stops, restarts and references of real tasks, in virtual time (S1–S7, S22, S24)."""

import math
from collections.abc import Awaitable
from functools import partial

import pytest
import trio

from tests.unit.actors._probe import Crash, Echo, Exit, Probe, Record, Run, Sleep, Who, fail, hang_shielded, virtual
from tests.unit.actors._world import NO_BACKOFF
from tmuxorc.actors import (
    Actor,
    ActorContext,
    ActorDied,
    Backoff,
    ChildExited,
    ChildSpec,
    DeadReason,
    ExitReason,
    Failed,
    Finished,
    GaveUp,
    Killed,
    NoSuchActor,
    NotUnderstood,
    Restart,
    RestartScheduled,
    StartFailed,
    StartTimeout,
    Stopped,
    Strategy,
    Superseded,
    Supervisor,
    SupervisorSpec,
    open_system,
    supervisor_child,
)
from tmuxorc.actors import _sequence as sequence


@virtual
async def test_start_and_stop_in_order() -> None:
    """S4, S5: starts in spec order, each after the one before; stops in reverse."""
    record = Record()
    for id in "abc":
        record.starting[id] = partial(trio.sleep, 1)
        record.stopping[id] = partial(trio.sleep, 2)
    async with open_system(record.tree("a", "b", "c")):
        assert trio.current_time() == 3
    assert record.notes == [
        (0, "start a"),
        (1, "start b"),
        (2, "start c"),
        (5, "stop c: stopped"),
        (7, "stop b: stopped"),
        (9, "stop a: stopped"),
    ]


@virtual
async def test_a_first_start_that_fails_raises_its_own_error() -> None:
    """S4 and trap 5: the real error comes out, not a group and not a timeout, and the others are stopped."""
    record = Record()
    error = ValueError("no such thing")
    record.starting["c"] = partial(fail, error)
    with pytest.raises(ValueError, match="no such thing") as caught:
        async with open_system(record.tree("a", "b", "c", "d"), on_event=record.on_event):
            raise AssertionError
    assert caught.value is error
    assert record.texts == ["start a", "start b", "start c", "stop b: stopped", "stop a: stopped"]
    assert record.told("c") == ["ChildStartFailed"]


@virtual
async def test_a_factory_that_fails_is_a_start_that_fails() -> None:
    """S1: the factory is part of the start."""

    async def start() -> Actor:
        raise OSError("no pane")

    with pytest.raises(OSError, match="no pane"):
        async with open_system(SupervisorSpec(children=(ChildSpec(id="a", start=start),))):
            raise AssertionError


@virtual
async def test_a_start_timeout() -> None:
    """S3, trap 3: a start not acknowledged in time is cancelled; an error in its clean-up does not hide that."""
    record = Record()

    async def slow() -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise ValueError("in the clean-up")

    record.starting["a"] = slow
    with pytest.raises(Exception, match="did not start within 4 s") as caught:
        async with open_system(record.tree("a", start_timeout_s=4.0), on_event=record.on_event):
            raise AssertionError
    assert type(caught.value).__name__ == "StartTimedOut"
    assert trio.current_time() == 4
    assert [e.reason for e in record.events if e.id == "a" and hasattr(e, "reason")] == [StartTimeout()]


@virtual
async def test_crash_and_restart() -> None:
    """S2, S6, S22: a new incarnation with fresh state; the reference stays good and the generation rises."""
    record = Record()
    async with open_system(record.tree("a"), on_event=record.on_event) as system:
        ref = system.ref("a")
        first = await ref.call(Who(), timeout_s=1)
        with pytest.raises(ActorDied):
            await ref.call(Crash(ValueError("x")), timeout_s=1)
        await record.until("ChildStarted", "a")
        second = await ref.call(Who(), timeout_s=1)
        assert (first.generation, second.generation) == (1, 2)
        assert (second.id, second.path, second.ref, second.system) == ("a", "a", ref, system)
        (info,) = await system.root.children()
        assert (info.generation, info.restarts, info.status.value) == (2, 1, "running")
        assert isinstance(info.last_exit, Failed)
    assert record.told("a") == ["ChildStarted", "ChildExited", "RestartScheduled", "ChildStarted", "ChildExited"]
    assert record.texts == ["start a", "stop a: failed", "start a", "stop a: stopped"]


@virtual
async def test_restarts_wait_for_their_backoff() -> None:
    """S10: at exact virtual times."""
    record = Record()
    backoff = Backoff(base_s=1.0, cap_s=3.0, jitter=0.5, max_streak=5, immediate=1)
    async with open_system(record.tree("a", backoff=backoff), on_event=record.on_event, random=lambda: 0.5) as system:
        for _ in range(4):
            system.ref("a").cast_nowait(Crash(ValueError("x")))
            await record.until("ChildStarted", "a")
    starts = [at for at, text in record.notes if text == "start a"]
    assert starts == pytest.approx([0, 0, 1.25, 3.75, 7.5])
    assert all(e.restart_at.tzinfo is not None for e in record.events if isinstance(e, RestartScheduled))


@pytest.mark.parametrize(
    ("restart", "reason", "comes_back"),
    [
        (Restart.PERMANENT, Finished(), True),
        (Restart.TRANSIENT, Finished(), False),
        (Restart.TRANSIENT, Failed(ValueError()), True),
        (Restart.TEMPORARY, Failed(ValueError()), False),
        (Restart.PERMANENT, Stopped(), False),
    ],
)
@virtual
async def test_exit_by_itself(restart: Restart, reason: ExitReason, comes_back: bool) -> None:
    """S2, S3, S13: `ctx.exit` gives the reason; what a person closed (`Stopped`) stays down."""
    record = Record()
    async with open_system(record.tree("a", restart=restart), on_event=record.on_event) as system:
        await system.ref("a").call(Exit(reason), timeout_s=1)
        await record.until("ChildStarted" if comes_back else "ChildExited", "a")
        (info,) = await system.root.children()
        assert info.last_exit == reason
        assert (info.status.value == "running") is comes_back
        assert info.desired.value == ("stopped" if reason == Stopped() else "running")


@virtual
async def test_exit_from_a_spawned_task_ends_an_idle_actor() -> None:
    """`ctx.exit` is callable from anywhere; spawned tasks end before `stop` is called."""
    record = Record()

    async def tell(ctx: ActorContext) -> object:
        async def later() -> None:
            await trio.sleep(3)
            ctx.exit(Finished())

        async def forever() -> None:
            try:
                await trio.sleep_forever()
            finally:
                record.note("task ended")

        ctx.spawn(later)
        ctx.spawn(forever)
        return None

    async with open_system(record.tree("a", restart=Restart.TEMPORARY), on_event=record.on_event) as system:
        await system.ref("a").call(Run(tell), timeout_s=1)
        await record.until("ChildExited", "a")
        with pytest.raises(RuntimeError, match="ended"):
            record.contexts["a"].spawn(trio.sleep, 1)
    assert record.notes == [(0, "start a"), (3, "task ended"), (3, "stop a: finished")]


@virtual
async def test_a_spawned_task_that_fails_fails_its_actor() -> None:
    """Trap 3: with its own error, not a group."""
    record = Record()
    error = KeyError("lost")

    async def tell(ctx: ActorContext) -> object:
        ctx.spawn(fail, error)
        return None

    async with open_system(record.tree("a"), on_event=record.on_event) as system:
        await system.ref("a").call(Run(tell), timeout_s=1)
        await record.until("ChildExited", "a")
    exits = [e.reason for e in record.events if isinstance(e, ChildExited) and e.id == "a"]
    assert exits == [Failed(error), Stopped()]


@virtual
async def test_a_late_stop_is_cancelled() -> None:
    """S5, trap 1: past shutdown_s the work is cancelled, and the clean-up still runs, shielded."""
    record = Record()
    async with open_system(record.tree("a", shutdown_s=2.0), on_event=record.on_event) as system:
        system.ref("a").cast_nowait(Sleep(math.inf))
        await trio.testing.wait_all_tasks_blocked()
    assert record.notes == [(0, "start a"), (2, "stop a: killed")]
    assert record.told("a") == ["ChildStarted", "StoppedLate", "ChildExited"]
    assert record.events[-2].reason == Killed()  # type: ignore[attr-defined]


@virtual
async def test_a_clean_up_that_hangs_is_cut_short() -> None:
    """S5: the clean-up has no more time than shutdown_s."""
    record = Record()
    record.stopping["a"] = trio.sleep_forever
    async with open_system(record.tree("a", shutdown_s=2.0), on_event=record.on_event):
        pass
    assert trio.current_time() == 2
    assert record.told("a") == ["ChildStarted", "StoppedLate", "ChildExited"]


@virtual
async def test_a_task_that_cannot_be_cancelled_is_left_behind() -> None:
    """S5, trap 2: it is reported as leaked, and nobody waits for it, not even the end of the system."""
    record = Record()
    record.stopping["a"] = hang_shielded
    async with open_system(record.tree("a", shutdown_s=2.0), on_event=record.on_event, kill_limit_s=1.0) as system:
        pass
    assert trio.current_time() == 4, "2 s to stop, 1 s for the cancelled clean-up, 1 s more"
    assert record.told("a") == ["ChildStarted", "StoppedLate", "ChildLeaked", "ChildExited"]
    assert system.leaked == ("a#1",)
    await trio.sleep(3600)
    assert system.leaked == ()


@virtual
async def test_a_leaked_incarnation_does_not_disturb_the_next() -> None:
    """S6: what it still reports is of an older generation."""
    record = Record()
    record.stopping["a"] = hang_shielded
    async with open_system(record.tree("a", shutdown_s=1.0), on_event=record.on_event, kill_limit_s=1.0) as system:
        system.ref("a").cast_nowait(Crash(ValueError("x")))
        await record.until("ChildStarted", "a")
        del record.stopping["a"]
        await trio.sleep(4000)
        assert (await system.ref("a").call(Who(), timeout_s=1)).generation == 2
        assert system.leaked == ()


@virtual
async def test_a_leaked_incarnation_is_never_taken_for_another_of_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even when its child was removed and its number has been given again."""
    monkeypatch.setattr(sequence, "FORGOTTEN", 0)
    record = Record()
    record.stopping["a"] = hang_shielded
    async with open_system(record.tree(), kill_limit_s=1.0) as system:
        await system.root.start_child(record.spec("a", shutdown_s=1.0))
        await system.root.remove_child("a")
        assert system.leaked == ("a#1",)
        del record.stopping["a"]
        await system.root.start_child(record.spec("a"))
        await trio.sleep(4000)
        assert system.leaked == ()
        assert (await system.ref("a").call(Who(), timeout_s=1)).generation == 1
        assert [info.status for info in await system.root.children()] == ["running"]


@virtual
async def test_cancelling_the_block_stops_the_tree_in_order() -> None:
    """S5: leaving by a cancellation is as orderly as any other way; the clean-ups are not cut off."""
    record = Record()
    for id in "ab":
        record.stopping[id] = partial(trio.sleep, 1)
    with trio.move_on_after(5):
        async with open_system(record.tree("a", "b")):
            await trio.sleep_forever()
    assert record.notes[2:] == [(6, "stop b: stopped"), (7, "stop a: stopped")]


@virtual
async def test_cancelling_the_start_stops_what_is_up() -> None:
    """Trap 6: whoever waits for the start may be cancelled meanwhile; nothing hangs and nothing is left."""
    record = Record()
    record.starting["b"] = trio.sleep_forever
    with trio.move_on_after(5):
        async with open_system(record.tree("a", "b", start_timeout_s=math.inf)):
            raise AssertionError
    assert record.notes == [(0, "start a"), (0, "start b"), (5, "stop a: stopped")]


@virtual
async def test_an_error_in_the_block_comes_out_as_it_is() -> None:
    """The tree is stopped first."""
    record = Record()
    with pytest.raises(ZeroDivisionError):
        async with open_system(record.tree("a")):
            raise ZeroDivisionError
    assert record.texts == ["start a", "stop a: stopped"]


@virtual
async def test_wait_raises_what_the_root_gave_up_with() -> None:
    """S9: the failure goes up to the top and out."""
    record = Record()
    tree = SupervisorSpec(intensity=0, children=(record.spec("a"), record.spec("b")))
    async with open_system(tree, on_event=record.on_event) as system:
        system.ref("a").cast_nowait(Crash(ValueError("x")))
        with pytest.raises(GaveUp, match="over 0 restarts within 5 s"):
            await system.wait()
    assert record.told("root") == ["ChildStarted", "SupervisorGaveUp", "ChildExited"]


@virtual
async def test_a_root_that_gave_up_unseen_raises_at_the_end() -> None:
    """A failure nobody waited for is not lost."""
    record = Record()
    tree = SupervisorSpec(intensity=0, children=(record.spec("a"),))

    async def unaware() -> None:
        async with open_system(tree) as system:
            system.ref("a").cast_nowait(Crash(ValueError("x")))
            await trio.sleep(1)

    with pytest.raises(GaveUp):
        await unaware()


@virtual
async def test_supervisors_in_supervisors() -> None:
    """S8, S9: a supervisor that gives up is a child that failed; paths name the way down."""
    record = Record()
    team = SupervisorSpec(intensity=0, children=(record.spec("x"), record.spec("y")))
    tree = SupervisorSpec(children=(record.spec("a"), supervisor_child("team", team)))
    async with open_system(tree, on_event=record.on_event) as system:
        ref = system.ref("team/x")
        assert [i.id for i in await system.supervisor("team").children()] == ["x", "y"]
        ref.cast_nowait(Crash(ValueError("x")))
        await record.until("ChildStarted", "team")
        assert await ref.call(Echo("still good"), timeout_s=1) == "still good"
        (event,) = (e for e in record.events if type(e).__name__ == "SupervisorGaveUp")
        assert (event.path, event.id, event.generation) == ("team", "team", 1)
    order = ["start a", "start x", "start y", "stop x: failed", "stop y: stopped", "start x", "start y"]
    assert [t for t in record.texts if "got" not in t][:7] == order


@virtual
async def test_killing_a_supervisor_kills_what_is_below() -> None:
    """S5: no child outlives its supervisor."""
    record = Record()
    record.stopping["x"] = trio.sleep_forever
    team = SupervisorSpec(children=(record.spec("x"), record.spec("y")))
    async with open_system(SupervisorSpec(children=(supervisor_child("team", team),)), kill_limit_s=3) as system:
        await system.root.kill_child("team")
        assert trio.current_time() == 3
        assert record.texts == ["start x", "start y", "stop y: killed"]
        with pytest.raises(NoSuchActor):
            system.ref("team/x")


@virtual
async def test_a_kill_reaches_into_a_stopping_team() -> None:
    """S7: an operator's kill reaches a child while its supervisor is stopping it."""
    record = Record()
    record.stopping["x"] = trio.sleep_forever
    team = SupervisorSpec(children=(record.spec("x", shutdown_s=1000.0),))
    async with open_system(SupervisorSpec(children=(supervisor_child("team", team),))) as system:
        x = system.supervisor("team")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(system.root.stop_child, "team")
            await trio.sleep(1)
            info = await x.kill_child("x")
        assert info.last_exit == Killed()
    assert trio.current_time() == 1, "it cuts short the clean-up that was under way"


@virtual
async def test_an_actor_that_exits_the_process_ends_the_system() -> None:
    """SystemExit is about the process: everything stops in order and it comes out."""
    record = Record()

    async def whole() -> None:
        async with open_system(record.tree("a", "b")) as system:
            system.ref("a").cast_nowait(Crash(SystemExit(3)))
            await system.wait()

    with pytest.raises(SystemExit):
        await whole()
    assert "stop b: stopped" in record.texts


@virtual
async def test_a_supervisor_needs_a_system() -> None:
    """It is an actor like any other and says so when it is misused."""
    with pytest.raises(TypeError, match="actor of a system"):
        await Supervisor(SupervisorSpec()).start(ActorContext())


@virtual
async def test_a_listener_that_fails_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """S24: the stream serves many; one bad reader is logged."""

    def listen(event: object) -> None:
        raise ValueError("bad listener")

    record = Record()
    async with open_system(record.tree("a"), on_event=listen) as system:
        assert await system.ref("a").call(Echo("x"), timeout_s=1) == "x"
    assert "bad listener" in caplog.text


@virtual
async def test_exit_during_start_counts_after_it() -> None:
    """A start may already know the end: it is acknowledged first."""

    class Short(Probe):
        async def start(self, ctx: ActorContext) -> None:
            await super().start(ctx)
            ctx.exit(StartFailed(ValueError("late news")))

    record = Record()

    async def start() -> Actor:
        return Short(record, "a")

    child = ChildSpec(id="a", start=start, restart=Restart.TEMPORARY)
    async with open_system(SupervisorSpec(children=(child,)), on_event=record.on_event) as system:
        await trio.testing.wait_all_tasks_blocked()
        (info,) = await system.root.children()
        assert info.status.value == "exited"
    assert record.told("a") == ["ChildStarted", "ChildExited"]


@pytest.mark.parametrize("strategy", Strategy)
@virtual
async def test_group_restarts_of_real_tasks(strategy: Strategy) -> None:
    """S8: stops run in reverse order, starts in order."""
    record = Record()
    async with open_system(record.tree("a", "b", "c", strategy=strategy), on_event=record.on_event) as system:
        record.notes.clear()
        system.ref("b").cast_nowait(Crash(ValueError("x")))
        await trio.testing.wait_all_tasks_blocked()
        assert (
            record.texts
            == {
                Strategy.ONE_FOR_ONE: ["stop b: failed", "start b"],
                Strategy.REST_FOR_ONE: ["stop b: failed", "stop c: stopped", "start b", "start c"],
                Strategy.ONE_FOR_ALL: [
                    *("stop b: failed", "stop c: stopped", "stop a: stopped"),
                    *("start a", "start b", "start c"),
                ],
            }[strategy]
        )


class Fallible(Supervisor):
    """A supervisor with a bug of its own."""

    async def handle(self, message: object, ctx: ActorContext) -> object:
        if isinstance(message, Crash):
            raise message.error
        return await super().handle(message, ctx)


def fallible(record: Record, *ids: str, **more: object) -> ChildSpec:
    async def start() -> Actor:
        return Fallible(SupervisorSpec(children=tuple(record.spec(id, **more) for id in ids)))

    return ChildSpec(id="team", start=start, backoff=NO_BACKOFF)


@virtual
async def test_a_supervisor_that_crashes_leaves_no_child_behind() -> None:
    """S5: its children are stopped in order before it comes back with new ones."""
    record = Record()
    tree = SupervisorSpec(children=(fallible(record, "x", "y"),))
    async with open_system(tree, on_event=record.on_event) as system:
        system.ref("team").cast_nowait(Crash(ValueError("a bug")))
        await record.until("ChildStarted", "team")
        assert record.texts == ["start x", "start y", "stop y: stopped", "stop x: stopped", "start x", "start y"]


@virtual
async def test_a_stopping_supervisor_answers_and_can_be_killed() -> None:
    """S17, S23: what is not for it is refused while it stops, too; two kills end the slowest of stops."""
    record = Record()
    record.stopping["x"] = trio.sleep_forever
    tree = SupervisorSpec(children=(fallible(record, "x", shutdown_s=1000.0),))
    async with open_system(tree) as system, trio.open_nursery() as nursery:
        team = system.supervisor("team")
        nursery.start_soon(system.root.stop_child, "team")
        await trio.sleep(1)
        team.cast_nowait(Echo("x"))
        with pytest.raises(NotUnderstood):
            await team.call(Echo("x"), timeout_s=1)
        with pytest.raises(ActorDied, match="is stopping"):
            await team.start_child(record.spec("z"))
        assert [info.status.value for info in await team.children()] == ["stopping"]
        await system.root.kill_child("team")
        assert trio.current_time() == 1
        assert system.dead_letters.counts == {DeadReason.UNKNOWN: 1}


@virtual
async def test_a_stop_of_a_supervisor_that_never_came_to_be() -> None:
    """S5: a factory that hangs has made nothing that could be stopped."""

    async def start() -> Actor:
        return await trio.sleep_forever()

    async with open_system(SupervisorSpec()) as system, trio.open_nursery() as nursery:
        nursery.start_soon(refused, system.root.start_child(ChildSpec(id="a", start=start)))
        await trio.testing.wait_all_tasks_blocked()
        info = await system.root.stop_child("a")
        assert (info.status.value, info.last_exit) == ("stopped", Stopped())


async def refused(order: Awaitable[object]) -> None:
    """An order that a later one overtakes."""
    with pytest.raises(Superseded):
        await order


def test_the_end_of_the_run_ends_what_was_left_behind() -> None:
    """S5: a leaked task does not keep the process; trio cancels it with everything else."""
    record = Record()
    record.stopping["a"] = hang_shielded

    async def main() -> float:
        async with open_system(record.tree("a", shutdown_s=1.0), kill_limit_s=1.0):
            pass
        return trio.current_time()

    assert trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0)) == 3


@virtual
async def test_a_crashed_actor_that_hangs_in_its_clean_up_is_cut_short() -> None:
    """S5: nobody asked it to stop, and still its clean-up has no more than shutdown_s."""
    record = Record()
    record.stopping["a"] = trio.sleep_forever
    async with open_system(record.tree("a", shutdown_s=2.0), on_event=record.on_event) as system:
        system.ref("a").cast_nowait(Crash(ValueError("x")))
        await record.until("ChildStarted", "a")
        assert trio.current_time() == 2
        del record.stopping["a"]
    assert record.told("a")[:4] == ["ChildStarted", "StoppedLate", "ChildExited", "RestartScheduled"]


@virtual
async def test_the_second_kill_reaches_work_that_outlived_the_first() -> None:
    """S5: an actor that shrugged off the first cancellation gets no time to clean up after the second."""
    record = Record()

    async def stubborn(ctx: ActorContext) -> object:
        with trio.CancelScope(shield=True):
            await trio.sleep(4)
        return None

    record.stopping["a"] = trio.sleep_forever
    async with open_system(record.tree("a", shutdown_s=1.0), on_event=record.on_event, kill_limit_s=2.0) as system:
        system.ref("a").cast_nowait(Run(stubborn))
        await trio.testing.wait_all_tasks_blocked()
        await system.root.stop_child("a")
        assert trio.current_time() == 4, "1 s to stop, cancelled; 2 s, cancelled again; done at 4 s, and no clean-up"
    assert "ChildLeaked" not in record.told("a")
