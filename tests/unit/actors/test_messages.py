"""Mailboxes, calls, casts, dead letters (S17–S23), in virtual time."""

import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from tests.unit.actors._probe import Crash, Echo, Exit, Keep, Record, Refuse, Run, Sleep, Who, virtual
from tmuxorc.actors import (
    Actor,
    ActorContext,
    ActorDied,
    Backoff,
    CallDirectionError,
    CallTimeout,
    ChildSpec,
    DeadReason,
    Finished,
    MailboxFull,
    NoSuchActor,
    NotUnderstood,
    Ref,
    Request,
    Restart,
    Supervisor,
    SupervisorSpec,
    open_system,
    supervisor_child,
)
from tmuxorc.actors._mailbox import Envelope, Mailbox
from tmuxorc.errors import RefusedError, UsageError


@virtual
async def test_control_goes_before_user_messages() -> None:
    """S17, S19: the control lane is read first; each lane is first in, first out."""
    record = Record()
    async with open_system(record.tree("a")) as system:
        ref = system.ref("a")
        ref.cast_nowait(Sleep(1))
        await wait_all_tasks_blocked()
        for text in ("u1", "u2"):
            ref.cast_nowait(Echo(text))
        for text in ("c1", "c2"):
            ref.cast_control_nowait(Echo(text))
        await ref.call(Echo("last"), timeout_s=9)
    assert record.texts[1:6] == [f"a got {text}" for text in ("c1", "c2", "u1", "u2", "last")]


@virtual
async def test_a_call_in_the_control_lane_overtakes() -> None:
    """S17: status is asked for in the control lane, however many user messages wait."""
    record = Record()
    async with open_system(record.tree("a", mailbox=1)) as system:
        ref = system.ref("a")
        ref.cast_nowait(Sleep(1))
        await wait_all_tasks_blocked()
        ref.cast_nowait(Sleep(100))
        assert await ref.call(Echo("status"), timeout_s=9, control=True) == "status"
        assert trio.current_time() == 1


@virtual
async def test_a_full_lane_answers_the_outside_at_once() -> None:
    """S18: the bound is the spec's, default 64; the refused message is counted."""
    record = Record()
    async with open_system(record.tree("a")) as system:
        ref = system.ref("a")
        ref.cast_nowait(Sleep(1))
        await wait_all_tasks_blocked()
        for _ in range(64):
            ref.cast_nowait(Echo("x"))
        for send in (lambda: ref.cast(Echo("y")), lambda: ref.call(Echo("y"), timeout_s=9)):
            with pytest.raises(MailboxFull, match="64"):
                await send()
        with pytest.raises(MailboxFull):
            ref.cast_nowait(Echo("y"))
        ref.cast_control_nowait(Echo("never full"))
        assert ref.statistics().user_waiting == 64
        assert system.dead_letters.counts == {DeadReason.FULL: 3}
        assert trio.current_time() == 0


def boss(record: Record) -> SupervisorSpec:
    """A team below a supervisor: `a` and `b` beside it, `x` within it."""
    team = SupervisorSpec(children=(record.spec("x", mailbox=1),))
    return SupervisorSpec(children=(record.spec("a"), supervisor_child("team", team), record.spec("b", mailbox=1)))


async def inside(system_path: str, record: Record, function: object) -> object:
    """Run `function(ctx)` in the actor at the path."""
    ctx = record.contexts[system_path]
    return await ctx.ref.call(Run(function), timeout_s=1000)  # type: ignore[arg-type]


@virtual
async def test_calls_go_down_or_back_never_up() -> None:
    """S18: oneself, those above, and those started later cannot be called; casts may go anywhere."""
    record = Record()
    async with open_system(boss(record)) as system:

        async def tries(ctx: ActorContext) -> object:
            outcomes: list[str] = []
            for path in ("/", "team", "a", "team/x", "b"):
                try:
                    await system.ref(path).call(Echo("?"), timeout_s=1)
                    outcomes.append("ok")
                except CallDirectionError:
                    outcomes.append("refused")
                except NotUnderstood:
                    outcomes.append("ok")
            return outcomes

        assert await inside("a", record, tries) == ["refused"] * 5
        assert await inside("x", record, tries) == ["refused", "refused", "ok", "refused", "refused"]
        assert await inside("b", record, tries) == ["refused", "ok", "ok", "ok", "refused"]

        async def order(ctx: ActorContext) -> object:
            with pytest.raises(CallDirectionError):
                await system.supervisor("team").stop_child("x")
            return None

        await inside("x", record, order)


@virtual
async def test_a_spawned_task_is_its_actor() -> None:
    """Trap 8: whoever causes the spawn, the task runs as the actor that owns it, with nobody else's context."""
    record = Record()
    async with open_system(boss(record)) as system:
        outcome: list[str] = []

        async def call_b() -> None:
            try:
                await system.ref("b").call(Echo("?"), timeout_s=1)
            except CallDirectionError as error:
                outcome.append(error.caller)

        record.contexts["a"].spawn(call_b)
        await wait_all_tasks_blocked()

        async def spawn_in_a(ctx: ActorContext) -> object:
            record.contexts["a"].spawn(call_b)
            return None

        await inside("b", record, spawn_in_a)
        await wait_all_tasks_blocked()
        assert outcome == ["a", "a"]


@virtual
async def test_only_senders_above_wait_for_room() -> None:
    """S18: traffic down is slowed to the pace of the reader, traffic up or across never waits."""
    record = Record()
    async with open_system(boss(record)) as system:

        async def flood(ctx: ActorContext) -> object:
            with suppress(MailboxFull):
                for _ in range(9):
                    await system.ref("team/x").cast(Sleep(1))
                raise AssertionError
            return trio.current_time()

        assert await inside("b", record, flood) == 0


class Feeder(Supervisor):
    """A supervisor with a task of its own that talks to its child."""

    def __init__(self, spec: SupervisorSpec, feed: Callable[[Ref], Awaitable[None]]) -> None:
        super().__init__(spec)
        self.feed = feed

    async def start(self, ctx: ActorContext) -> None:
        await super().start(ctx)
        ctx.spawn(self.feed, ctx.system.ref(f"{ctx.path}/x"))


@virtual
async def test_a_sender_above_waits() -> None:
    """S18: casts and calls down a full lane take their turn; a call does so within its timeout."""
    record = Record()
    sent: list[object] = []

    async def feed(x: Ref) -> None:
        for n in range(4):
            await x.cast(Sleep(1))
            sent.append((n, trio.current_time()))
        sent.append(await x.call(Echo("at last"), timeout_s=100))
        await x.cast(Sleep(50))
        await x.cast(Sleep(1))
        with pytest.raises(CallTimeout):
            await x.call(Echo("no room in time"), timeout_s=2)
        sent.append(trio.current_time())

    async def start() -> Actor:
        return Feeder(SupervisorSpec(children=(record.spec("x", mailbox=1),)), feed)

    async with open_system(SupervisorSpec(children=(ChildSpec(id="team", start=start),))):
        await trio.sleep(20)
    assert sent == [(0, 0), (1, 0), (2, 1), (3, 2), "at last", 6]


@virtual
async def test_those_who_wait_for_room_get_in_in_order() -> None:
    """S19: one for each message taken out; one that gives up leaves the queue."""
    box = Mailbox(1)
    order: list[tuple[str, int, float]] = []

    async def send(n: int) -> None:
        with trio.move_on_after(2.5 if n == 2 else 100):
            await box.put_user_wait(Envelope(n))
            order.append(("in", n, trio.current_time()))

    async with trio.open_nursery() as nursery:
        for n in range(5):
            nursery.start_soon(send, n)
            await wait_all_tasks_blocked()
        assert repr(box) == "<Mailbox control=0 user=1/1 blocked=4>"
        for at in (2, 3, 4, 5):
            await trio.sleep_until(at)
            envelope = await box.receive()
            assert envelope is not None
            order.append(("out", int(str(envelope.message)), trio.current_time()))
    assert [n for what, n, _ in order if what == "out"] == [0, 1, 3, 4]
    assert [(n, at) for what, n, at in order if what == "in"] == [(0, 0), (1, 2), (3, 3), (4, 4)]


@virtual
async def test_a_call_is_answered_or_times_out() -> None:
    """S20: a late answer is dropped, and the effect is not undone."""
    record = Record()
    async with open_system(record.tree("a")) as system:
        ref = system.ref("a")
        with pytest.raises(CallTimeout, match="within 2 s"):
            await ref.call(Keep(), timeout_s=2)
        assert trio.current_time() == 2
        record.kept[0].send("late")
        assert await ref.call(Echo("next"), timeout_s=1) == "next"


@pytest.mark.parametrize("timeout_s", [math.inf, math.nan, -1.0])
@virtual
async def test_there_is_no_call_without_a_timeout(timeout_s: float) -> None:
    """S20."""
    record = Record()
    async with open_system(record.tree("a")) as system:
        with pytest.raises(ValueError, match="timeout"):
            await system.ref("a").call(Echo("x"), timeout_s=timeout_s)


@virtual
async def test_a_call_fails_the_moment_the_actor_ends() -> None:
    """S20: the one being handled, the ones kept for later, the ones still waiting; long before any timeout."""
    record = Record()
    record.stopping["a"] = partial(trio.sleep, 3)
    died: list[float] = []

    async def call(request: Keep | Crash | Echo) -> None:
        with pytest.raises(ActorDied, match="boom"):
            await system.ref("a").call(request, timeout_s=1000)
        died.append(trio.current_time())

    async with open_system(record.tree("a")) as system, trio.open_nursery() as nursery:
        nursery.start_soon(call, Keep())
        await wait_all_tasks_blocked()
        system.ref("a").cast_nowait(Sleep(1))
        for request in (Crash(ValueError("boom")), Echo("behind")):
            await wait_all_tasks_blocked()
            nursery.start_soon(call, request)
    assert died == [1, 1, 1], "not after the clean-up"


@virtual
async def test_calling_an_actor_that_is_not_running() -> None:
    """S20, S22: while it waits for its restart or is stopped the answer is `ActorDied`, at once; later it is back."""
    record = Record()
    async with open_system(record.tree("a", backoff=Backoff(immediate=0)), on_event=record.on_event) as system:
        ref = system.ref("a")
        ref.cast_nowait(Crash(ValueError("boom")))
        await record.until("RestartScheduled", "a")
        with pytest.raises(ActorDied, match="boom"):
            await ref.call(Echo("x"), timeout_s=1)
        assert not ref.statistics().alive
        await record.until("ChildStarted", "a")
        assert await ref.call(Echo("x"), timeout_s=1) == "x"
        await system.root.remove_child("a")
        with pytest.raises(NoSuchActor):
            await ref.call(Echo("x"), timeout_s=1)
        with pytest.raises(NoSuchActor):
            ref.statistics()
        await system.root.start_child(record.spec("a"))
        assert await ref.call(Echo("x"), timeout_s=1) == "x"


@virtual
async def test_messages_wait_for_the_end_of_the_start() -> None:
    """A message sent while the actor starts is handled once it is up."""
    record = Record()
    record.starting["a"] = partial(trio.sleep, 5)
    async with open_system(SupervisorSpec()) as system, trio.open_nursery() as nursery:
        nursery.start_soon(system.root.start_child, record.spec("a"))
        await wait_all_tasks_blocked()
        assert await system.ref("a").call(Echo("early"), timeout_s=9) == "early"
        assert trio.current_time() == 5


@virtual
async def test_bad_input_is_a_reply() -> None:
    """S23: a refusal answers the call and the incarnation lives on."""
    record = Record()
    async with open_system(record.tree("a")) as system:
        ref = system.ref("a")
        with pytest.raises(RefusedError):
            await ref.call(Refuse(), timeout_s=1)

        async def in_a_nursery(ctx: ActorContext) -> object:
            async with trio.open_nursery():
                raise RefusedError("no, in a group")

        with pytest.raises(RefusedError, match="no, in a group"):
            await ref.call(Run(in_a_nursery), timeout_s=1)
        with pytest.raises(NotUnderstood, match="a does not understand Unknown"):
            await ref.call(Unknown(), timeout_s=1)
        ref.cast_nowait(object())
        assert (await ref.call(Who(), timeout_s=1)).generation == 1
        assert system.dead_letters.counts == {DeadReason.UNKNOWN: 1}


class Unknown(Request[None]):
    """A request no probe knows."""


@virtual
async def test_a_refused_cast_is_a_crash() -> None:
    """S23: nobody is there to hear the refusal, so it must not be swallowed."""
    record = Record()
    async with open_system(record.tree("a"), on_event=record.on_event) as system:
        system.ref("a").cast_nowait(Refuse())
        await record.until("ChildStarted", "a")
        assert (await system.ref("a").call(Who(), timeout_s=1)).generation == 2


@virtual
async def test_supervisors_refuse_what_they_do_not_understand() -> None:
    """S23: neither a call nor a cast harms a supervisor; orders to a plain actor are refused."""
    record = Record()
    async with open_system(record.tree("a")) as system:
        with pytest.raises(NotUnderstood):
            await system.root.call(Echo("x"), timeout_s=1)
        system.root.cast_nowait(Echo("x"))
        with pytest.raises(UsageError, match="not a supervisor"):
            await system.supervisor("a").children()
        assert len(await system.root.children()) == 1
        assert system.dead_letters.counts == {DeadReason.UNKNOWN: 1}


@virtual
async def test_what_is_left_in_a_mailbox_becomes_dead_letters() -> None:
    """S21, traps 7 and 9: nothing survives a restart, nothing is lost silently, not even what was being handled."""
    record = Record()
    async with open_system(record.tree("a", "b"), on_event=record.on_event) as system:
        ref = system.ref("a")
        for message in (Crash(ValueError("boom")), Echo("1"), Echo("2")):
            ref.cast_nowait(message)
        await record.until("ChildStarted", "a")
        letters = list(system.dead_letters)
        assert [type(letter.message).__name__ for letter in letters] == ["Crash", "Echo", "Echo"]
        assert {letter.reason for letter in letters} == {DeadReason.RESTARTED}
        assert {letter.path for letter in letters} == {"a"}

        ref.cast_nowait(Sleep(100))
        await wait_all_tasks_blocked()
        ref.cast_nowait(Echo("3"))
        await system.root.kill_child("a")
        ref.cast_nowait(Echo("4"))
        await system.root.remove_child("a")
        ref.cast_nowait(Echo("5"))
        assert system.dead_letters.counts == {
            DeadReason.RESTARTED: 3,
            DeadReason.STOPPED: 3,
            DeadReason.UNKNOWN: 1,
        }
        assert system.dead_letters.total == len(system.dead_letters) == 7
    assert record.texts.count("a got 1") == 0


@virtual
async def test_a_call_nobody_waits_for_any_more_is_not_handled() -> None:
    """S21: expired in the mailbox, by its timeout or because the caller went away."""
    record = Record()
    async with open_system(record.tree("a")) as system:
        ref = system.ref("a")
        ref.cast_nowait(Sleep(10))
        with pytest.raises(CallTimeout):
            await ref.call(Echo("timed out"), timeout_s=1)
        with trio.move_on_after(1):
            await ref.call(Echo("cancelled"), timeout_s=1000)
        assert await ref.call(Echo("live"), timeout_s=1000) == "live"
        assert system.dead_letters.counts == {DeadReason.EXPIRED: 2}
    assert [t for t in record.texts if "got" in t] == ["a got live"]


@virtual
async def test_messages_behind_an_exit_are_dead_letters() -> None:
    """S21: after `ctx.exit` the current message is the last."""
    record = Record()
    async with open_system(record.tree("a", restart=Restart.TEMPORARY)) as system:
        ref = system.ref("a")
        ref.cast_nowait(Exit(Finished()))
        ref.cast_nowait(Echo("behind"))
        await wait_all_tasks_blocked()
        assert system.dead_letters.counts == {DeadReason.STOPPED: 1}


@virtual
async def test_deferred_answers() -> None:
    """`ctx.defer` takes over the answer; a reply is settled once; for a cast it is nobody's."""
    record = Record()
    async with open_system(record.tree("a")) as system, trio.open_nursery() as nursery:
        ref = system.ref("a")
        answers: list[str] = []

        async def call() -> None:
            answers.append(await ref.call(Keep(), timeout_s=9))

        nursery.start_soon(call)
        ref.cast_nowait(Keep())
        await wait_all_tasks_blocked()
        assert await ref.call(Echo("meanwhile"), timeout_s=1) == "meanwhile"
        kept = {repr(reply): reply for reply in record.kept}
        assert kept.keys() == {"<Reply open>"}
        for reply in record.kept:
            reply.send("first")
            reply.send("second")
            reply.fail(ValueError("third"))
        await wait_all_tasks_blocked()
        assert answers == ["first"]
        assert all(reply.settled for reply in record.kept)


@virtual
async def test_statistics() -> None:
    """A look at a mailbox costs its owner nothing."""
    record = Record()
    async with open_system(record.tree("a", mailbox=5)) as system:
        ref = system.ref("a")
        await ref.call(Echo("x"), timeout_s=1)
        ref.cast_nowait(Sleep(1))
        await wait_all_tasks_blocked()
        ref.cast_nowait(Echo("y"))
        ref.cast_control_nowait(Echo("z"))
        stats = ref.statistics()
        assert (stats.path, stats.generation, stats.alive) == ("a", 1, True)
        assert (stats.user_waiting, stats.user_capacity, stats.control_waiting, stats.handled) == (1, 5, 1, 2)


@virtual
async def test_references_are_values() -> None:
    """S22: two references to one path are equal; systems are told apart."""
    record = Record()
    async with open_system(record.tree("a")) as one, open_system(record.tree("a")) as two:
        assert one.ref("a") == one.ref("a")
        assert one.ref("a") != two.ref("a")
        assert len({one.ref("a"), one.ref("a")}) == 1
        assert repr(one.ref("a")) == "<Ref a>"
        assert repr(one.root) == "<SupervisorRef />"
        with pytest.raises(NoSuchActor):
            one.ref("b")
        with pytest.raises(NoSuchActor):
            one.supervisor("a/b")


@virtual
async def test_a_stop_while_it_waits_for_its_restart_shows_in_dead_letters() -> None:
    """S21: the reason follows what is wanted of the actor, also when that changes while it is down."""
    record = Record()
    async with open_system(record.tree("a", backoff=Backoff(immediate=0)), on_event=record.on_event) as system:
        ref = system.ref("a")
        await system.root.restart_child("a")
        with pytest.raises(ActorDied):
            await ref.call(Crash(ValueError("x")), timeout_s=1)
        await wait_all_tasks_blocked()
        before = system.dead_letters.counts
        ref.cast_nowait(Echo("while waiting"))
        await system.root.stop_child("a")
        ref.cast_nowait(Echo("while stopped"))
        assert before == {DeadReason.RESTARTED: 1}
        assert system.dead_letters.counts == {DeadReason.RESTARTED: 2, DeadReason.STOPPED: 1}
