"""The traps that are not told elsewhere: firewalls, atomic mailboxes, drained channels, threads in a clean-up."""

import threading

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from tests.unit.actors._probe import Crash, Echo, Record, Who, virtual
from tmuxorc.actors import Actor, ChildSpec, Request, SupervisorSpec, open_system
from tmuxorc.actors._exits import root_cause
from tmuxorc.actors._mailbox import Envelope, Mailbox, Reply, Tick


@virtual
async def test_one_failure_cancels_nobody_else() -> None:
    """Trap 4: a child that fails is a report to its supervisor; its siblings do not even notice."""
    record = Record()
    async with open_system(record.tree("a", "b", "c")) as system:
        before = {id: record.contexts[id] for id in "abc"}
        system.ref("b").cast_nowait(Crash(ExceptionGroup("two", [ValueError("1"), ValueError("2")])))
        await wait_all_tasks_blocked()
        after = {id: await system.ref(id).call(Who(), timeout_s=1) for id in "abc"}
        assert [id for id in "abc" if after[id] is not before[id]] == ["b"]


@virtual
async def test_a_cancelled_reader_loses_no_message() -> None:
    """Trap 7: at whatever moment the cancellation comes, the message is either read or still there."""
    for n in range(3):
        box = Mailbox(9)
        read: list[object] = []

        async def reader(box: Mailbox = box, read: list[object] = read) -> None:
            while True:
                envelope = await box.receive()
                assert envelope is not None
                read.append(envelope.message)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(reader)
            await wait_all_tasks_blocked()
            for i in range(n):
                assert box.put_user(Envelope(i))
            nursery.cancel_scope.cancel()
        left = [envelope.message for envelope in box.drain()]
        assert [*read, *left] == list(range(n))


@virtual
async def test_a_mailbox_s_deadline_wakes_its_reader() -> None:
    """Supervisors have their timers this way: no task of its own, nothing that polls."""
    box = Mailbox(1)
    box.deadline = 3.0
    envelope = await box.receive()
    assert trio.current_time() == 3
    assert envelope is not None
    assert isinstance(envelope.message, Tick)


@virtual
async def test_a_sender_blocked_on_a_mailbox_that_is_drained_goes_on() -> None:
    """Trap 9: its message is among what was left."""
    box = Mailbox(1)
    assert box.put_user(Envelope("first"))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(box.put_user_wait, Envelope("second"))
        await wait_all_tasks_blocked()
        assert [envelope.message for envelope in box.drain()] == ["first", "second"]


@virtual
async def test_a_settled_reply_wakes_its_caller_without_a_wait() -> None:
    """S20: an answer may be there before anyone waits for it."""
    reply = Reply()
    reply.send("early")
    assert await reply.wait("a", 1) == "early"
    failed = Reply()
    failed.fail(ValueError("x"))
    with pytest.raises(ValueError, match="x"):
        await failed.wait("a", 1)


def test_the_real_error_is_found_in_nested_groups() -> None:
    """Trap 3: one error in a group in a group is that error; several stay together."""
    error = ValueError("x")
    assert root_cause(ExceptionGroup("a", [ExceptionGroup("b", [error])])) is error
    group = ExceptionGroup("a", [error, KeyError("y")])
    assert root_cause(group) is group


async def test_a_thread_in_a_clean_up_finishes_its_work() -> None:
    """Traps 10 and 11, on the real clock: the write is never abandoned, and that it goes on is told as a leak."""
    may_finish = threading.Event()
    written = trio.Event()

    class Writer(Actor):
        async def stop(self, reason: object) -> None:
            await trio.to_thread.run_sync(may_finish.wait)
            written.set()

    async def start() -> Actor:
        return Writer()

    tree = SupervisorSpec(children=(ChildSpec(id="a", start=start, shutdown_s=0.02),))
    with trio.fail_after(10):
        async with open_system(tree, kill_limit_s=0.02) as system:
            pass
        assert system.leaked == ("a#1",)
        assert not written.is_set()
        may_finish.set()
        await written.wait()
        await wait_all_tasks_blocked()
        assert system.leaked == ()


async def test_a_call_costs_little_more_than_two_channel_hops() -> None:
    """Calls are on every request's path: a few times a bare round trip, not more."""
    record = Record()

    class Quick(Actor):
        async def handle(self, message: object, ctx: object) -> object:
            return None

    class Ping(Request[None]):
        pass

    async def start() -> Actor:
        return Quick()

    async def round_trips(n: int) -> float:
        began = trio.current_time()
        for _ in range(n):
            await ref.call(Ping(), timeout_s=5)
        return (trio.current_time() - began) / n

    async with open_system(SupervisorSpec(children=(ChildSpec(id="a", start=start),))) as system:
        ref = system.ref("a")
        call_s = min([await round_trips(200) for _ in range(5)])
        there, here = trio.open_memory_channel[None](1)
        back, again = trio.open_memory_channel[None](1)

        async def echo() -> None:
            async for item in here:
                await back.send(item)

        async def hops(n: int) -> float:
            began = trio.current_time()
            for _ in range(n):
                await there.send(None)
                await again.receive()
            return (trio.current_time() - began) / n

        async with trio.open_nursery() as nursery:
            nursery.start_soon(echo)
            channel_s = min([await hops(200) for _ in range(5)])
            nursery.cancel_scope.cancel()
    for channel in (there, here, back, again):
        channel.close()
    assert call_s < 4 * channel_s
    assert record.texts == []


async def test_a_hundred_children_start_and_stop_quickly() -> None:
    """On the real clock, with a wide margin: it takes about a tenth of this."""
    record = Record()
    began = trio.current_time()
    async with open_system(record.tree(*(f"c{n}" for n in range(100)))) as system:
        assert await system.ref("c99").call(Echo("x"), timeout_s=5) == "x"
    assert trio.current_time() - began < 1.0
