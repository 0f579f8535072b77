"""The post office: accepted whole, handed over, followed to the end, expired, returned, delivered anew."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
import trio
import trio.testing

from tests.support import Home
from tmuxorc.actors._grudge import Grudge
from tmuxorc.actors.eventlog import EventLog
from tmuxorc.actors.post import MailboxFullError, Post
from tmuxorc.actors.roster import Roster
from tmuxorc.errors import ConflictError, JournalError
from tmuxorc.journal import Journal, open_journal
from tmuxorc.model import AgentSpec, MessageView, Rung, Terms

ALICE, BOB = "main/alice", "main/bob"


class Box:
    """An agent's courier: takes everything in and gives back what it has not `begun`."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.begun: set[str] = set()

    def take_in(self, message: MessageView) -> None:
        self.texts[message.id] = message.text

    def give_back(self, message_id: str) -> bool:
        return message_id not in self.begun and self.texts.pop(message_id, None) is not None


class Office:
    """A post office with its journal, and a clock for the journal that a test may set back."""

    def __init__(self, ttl_s: float = 3600, capacity: int = 64) -> None:
        self.age = timedelta()
        roster = Roster()
        self.events = EventLog(roster, Grudge())
        self.post = Post(self.events, ttl_s=ttl_s, capacity=capacity)
        for address in (ALICE, BOB):
            spec = AgentSpec(name=address.partition("/")[2])
            self.events.publish("agent.defined", address, spec=msgspec.to_builtins(spec))

    def now(self) -> datetime:
        return datetime.now(UTC) - self.age

    async def accept(self, *targets: str, text: str = "hello", **terms: Any) -> tuple[MessageView, ...]:
        return await self.post.accept(self.journal, "operator", targets, text, Terms(**terms))

    def waiting(self, address: str) -> int:
        """As people are shown it."""
        return len(self.events.roster.agent(address).waiting)

    async def rung(self, message: MessageView) -> Rung:
        """As the journal has it."""
        return (await self.journal.message(message.id)).rung

    @asynccontextmanager
    async def opened(self, home: Home) -> AsyncIterator["Office"]:
        async with open_journal(str(home.state / "journal.db"), now=self.now) as self.journal:
            yield self


async def test_what_is_accepted_is_journaled_waits_and_is_handed_over(home: Home) -> None:
    async with Office().opened(home) as office:
        alice = Box()
        with office.post.receiving(ALICE, alice):
            first, second = await office.accept(ALICE, BOB)
        assert (first.id, second.id, first.target, second.target) == ("m-1", "m-2", ALICE, BOB)
        assert alice.texts == {"m-1": "hello"}
        assert office.post.waiting(BOB) == (second,)
        assert (office.waiting(ALICE), office.waiting(BOB)) == (1, 1)
        assert await office.rung(second) is Rung.ACCEPTED
        await office.accept(ALICE)
        assert alice.texts == {"m-1": "hello"}, "it receives no more"


async def test_a_new_receiver_is_not_put_out_by_the_end_of_an_older_one(home: Home) -> None:
    async with Office().opened(home) as office:
        old, new = Box(), Box()
        with office.post.receiving(ALICE, old):
            context = office.post.receiving(ALICE, new)
            context.__enter__()
        await office.accept(ALICE)
        assert (old.texts, new.texts) == ({}, {"m-1": "hello"})
        context.__exit__(None, None, None)


async def test_messages_wait_in_their_order(home: Home) -> None:
    async with Office().opened(home) as office:
        for n in range(5):
            await office.accept(ALICE, text=str(n))
        await office.post.advance(office.journal, "m-1", Rung.STAGED, "composed")
        assert [message.text for message in office.post.waiting(ALICE)] == list("01234")
        assert office.post.waiting(ALICE)[0].rung is Rung.STAGED


async def test_only_what_is_settled_waits_no_more(home: Home) -> None:
    async with Office().opened(home) as office:
        (message,) = await office.accept(ALICE)
        for rung, waits in ((Rung.STAGED, 1), (Rung.HELD, 1), (Rung.SUBMITTED, 0), (Rung.TAKEN_IN, 0)):
            await office.post.advance(office.journal, message.id, rung, "seen", "why")
            assert (len(office.post.waiting(ALICE)), office.waiting(ALICE)) == (waits, waits)
            assert await office.rung(message) is rung


async def test_it_is_followed_beyond_its_end_and_then_forgotten(home: Home) -> None:
    async with Office().opened(home) as office:
        messages = await office.accept(ALICE, BOB)
        with office.post.following(messages) as latest:
            assert latest("m-1").rung is Rung.ACCEPTED
            await office.post.advance(office.journal, "m-1", Rung.SUBMITTED, "seen")
            await office.post.advance(office.journal, "m-1", Rung.TAKEN_IN, "seen")
            assert (latest("m-1").rung, latest("m-2").rung) == (Rung.TAKEN_IN, Rung.ACCEPTED)
        with pytest.raises(KeyError):
            latest("m-1")


async def test_the_journals_refusal_is_the_senders_and_nothing_waits(home: Home) -> None:
    async with Office().opened(home) as office:
        limit = "PRAGMA max_page_count = 1"
        await office.journal._worker.do(lambda db: db.execute(limit).fetchall(), reads=True)
        with pytest.raises(JournalError):
            await office.accept(ALICE, text="x" * 100_000)
        assert office.post.waiting(ALICE) == ()
        assert office.waiting(ALICE) == 0


async def test_a_full_mailbox_refuses_all_receivers_also_those_that_come_at_once(home: Home) -> None:
    """S18, and no more than the limit are let in however many ask in the same moment."""
    outcomes: list[str] = []

    async def send(office: Office) -> None:
        try:
            await office.accept(ALICE)
            outcomes.append("accepted")
        except MailboxFullError as error:
            outcomes.append(error.code)

    async with Office(capacity=3).opened(home) as office:
        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(send, office)
        assert sorted(outcomes) == ["accepted"] * 3 + ["mailbox_full"] * 2
        with pytest.raises(MailboxFullError):
            await office.accept(BOB, ALICE)
        assert office.post.waiting(BOB) == ()
        await office.post.advance(office.journal, "m-1", Rung.SUBMITTED, "seen")
        await office.accept(BOB, ALICE)


async def test_what_waits_for_a_removed_agent_becomes_dead_letters(home: Home) -> None:
    async with Office().opened(home) as office:
        await office.accept(ALICE, BOB)
        await office.accept(ALICE)
        await office.post.forget(office.journal, ALICE, "its agent was removed")
        dead = await office.journal.messages(rungs=(Rung.DEAD_LETTER,))
        assert [(message.id, message.detail) for message in dead] == [
            ("m-1", "its agent was removed"),
            ("m-3", "its agent was removed"),
        ]
        assert (office.post.waiting(ALICE), len(office.post.waiting(BOB))) == ((), 1)


async def test_a_message_whose_receiver_was_removed_while_it_was_journaled_is_a_dead_letter(home: Home) -> None:
    async with Office().opened(home) as office:

        async def remove() -> None:
            office.events.publish("agent.removed", ALICE)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(office.accept, ALICE)
            nursery.start_soon(remove)
        assert (await office.journal.message("m-1")).rung is Rung.DEAD_LETTER


async def test_what_the_journal_has_not_settled_waits_again_after_a_restart(home: Home) -> None:
    async with Office().opened(home) as office:
        await office.accept(ALICE)
        await office.accept(ALICE)
        await office.post.advance(office.journal, "m-1", Rung.SUBMITTED, "seen")
    async with Office().opened(home) as office:
        office.post.restore((await office.journal.load()).messages)
        assert [message.id for message in office.post.waiting(ALICE)] == ["m-2"]
        assert office.waiting(ALICE) == 1


async def test_what_waited_too_long_expires_and_what_is_under_way_does_not(home: Home) -> None:
    async with Office(ttl_s=3600).opened(home) as office:
        office.age = timedelta(hours=2)
        begun, held, unreceived = (*await office.accept(ALICE), *await office.accept(ALICE), *await office.accept(BOB))
        await office.post.advance(office.journal, held.id, Rung.HELD, "busy", "the agent is busy")
        office.age = timedelta()
        (fresh,) = await office.accept(ALICE)
        alice = Box()
        alice.texts = {"m-1": "", "m-2": "", "m-4": ""}
        alice.begun = {begun.id}
        with office.post.receiving(ALICE, alice):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(office.post.expire, office.journal)
                with trio.fail_after(10):
                    await office.events.until(BOB, lambda: not office.waiting(BOB) or None)
                nursery.cancel_scope.cancel()
        assert [await office.rung(each) for each in (begun, held, unreceived, fresh)] == [
            Rung.ACCEPTED,
            Rung.EXPIRED,
            Rung.EXPIRED,
            Rung.ACCEPTED,
        ]
        assert "the agent is busy" in (await office.journal.message(held.id)).detail
        assert "its agent was not running" in (await office.journal.message(unreceived.id)).detail
        assert [message.id for message in office.post.waiting(ALICE)] == [begun.id, fresh.id]


async def test_a_redelivered_message_has_all_its_time_again(home: Home) -> None:
    """However long ago it was first sent; also for a supervisor that finds it in the journal."""
    async with Office(ttl_s=3600).opened(home) as office:
        office.age = timedelta(hours=5)
        (old,) = await office.accept(ALICE)
        await office.post.advance(office.journal, old.id, Rung.EXPIRED, "waited 3600 s")
        office.age = timedelta()
        alice = Box()
        with office.post.receiving(ALICE, alice):
            again = await office.post.requeue(office.journal, await office.journal.message(old.id))
        assert (again.rung, alice.texts, office.waiting(ALICE)) == (Rung.ACCEPTED, {"m-1": "hello"}, 1)
        restarted = Office(ttl_s=3600)
        restarted.post.restore((await office.journal.load()).messages)
        for each in (office, restarted):
            await each.post._expire_due(office.journal, datetime.now(UTC) - timedelta(hours=1))
        assert await office.rung(old) is Rung.ACCEPTED
        assert len(restarted.post.waiting(ALICE)) == 1


async def test_a_new_supervisor_knows_what_waits_and_does_not_tell_it_again(home: Home) -> None:
    async with Office().opened(home) as office:
        await office.accept(ALICE)
        restarted = Office()
        restarted.post.restore((await office.journal.load()).messages)
        assert restarted.waiting(ALICE) == 1
        await restarted.events.write_rest(office.journal)
        assert {event.type for event in await office.journal.events()} == {"agent.defined"}


async def test_what_the_journal_has_forgotten_is_dropped(home: Home) -> None:
    async with Office(ttl_s=3600).opened(home) as office:
        office.age = timedelta(hours=2)
        await office.accept(ALICE)
        await office.journal._worker.do(lambda db: db.execute("DELETE FROM message"))
        await office.post._expire_due(office.journal, datetime.now(UTC) - timedelta(hours=1))
        assert office.post.waiting(ALICE) == ()


async def test_expiry_does_nothing_before_anything_waits(home: Home, autojump_clock: trio.testing.MockClock) -> None:
    """In a century of the virtual clock it never once looks."""
    office = Office()
    with trio.move_on_after(3e9) as scope:
        await office.post.expire(Journal.__new__(Journal))
    assert scope.cancelled_caught


async def test_a_message_sent_twice_with_one_key_is_one(home: Home) -> None:
    """To another agent it is another; what became of the first does not matter."""
    async with Office().opened(home) as office:
        (first,) = await office.accept(ALICE, dedup="nightly")
        (second,) = await office.accept(ALICE, text="again", dedup="nightly")
        (other,) = await office.accept(BOB, dedup="nightly")
        assert (second.id, second.text) == (first.id, "hello")
        assert other.id != first.id
        assert [m.id for m in office.post.waiting(ALICE)] == [first.id]
        await office.post.advance(office.journal, first.id, Rung.TAKEN_IN, "seen")
        (third,) = await office.accept(ALICE, dedup="nightly")
        assert (third.id, third.rung) == (first.id, Rung.TAKEN_IN)
        assert office.post.waiting(ALICE) == ()


async def test_a_message_may_expire_before_the_others(home: Home) -> None:
    """At its own time, also when it comes in while nothing else is due for an hour."""
    async with Office().opened(home) as office, trio.open_nursery() as nursery:
        nursery.start_soon(office.post.expire, office.journal)
        (lasting,) = await office.accept(ALICE)
        await trio.testing.wait_all_tasks_blocked()
        (short,) = await office.accept(ALICE, expires_at=datetime.now(UTC) + timedelta(milliseconds=50))
        with trio.fail_after(10):
            await office.events.until(ALICE, lambda: short.id not in office.events.roster.agent(ALICE).waiting or None)
        assert await office.rung(short) is Rung.EXPIRED
        assert await office.rung(lasting) is Rung.ACCEPTED
        nursery.cancel_scope.cancel()


async def test_a_message_is_taken_back_while_nothing_of_it_is_typed(home: Home) -> None:
    async with Office().opened(home) as office:
        box = Box()
        with office.post.receiving(ALICE, box):
            one, two = [(await office.accept(ALICE))[0] for _ in range(2)]
            box.begun.add(two.id)
            assert (await office.post.cancel(office.journal, one.id, ALICE)).rung is Rung.CANCELLED
            assert one.id not in box.texts
            with pytest.raises(ConflictError, match="can no longer be taken back"):
                await office.post.cancel(office.journal, two.id, ALICE)
            with pytest.raises(ConflictError):
                await office.post.cancel(office.journal, one.id, ALICE)


async def test_what_is_in_the_agents_own_queue_does_not_expire_until_it_comes_back(home: Home) -> None:
    """It can no longer be kept from the agent."""
    async with Office(ttl_s=60).opened(home) as office, trio.open_nursery() as nursery:
        office.age = timedelta(hours=1)
        (message,) = await office.accept(ALICE)
        await office.post.advance(office.journal, message.id, Rung.QUEUED, "handed over")
        nursery.start_soon(office.post.expire, office.journal)
        await trio.testing.wait_all_tasks_blocked()
        assert await office.rung(message) is Rung.QUEUED
        await office.post.advance(office.journal, message.id, Rung.HELD, "it came back", "it came back")
        with trio.fail_after(10):
            await office.events.until(ALICE, lambda: not office.waiting(ALICE) or None)
        assert await office.rung(message) is Rung.EXPIRED
        nursery.cancel_scope.cancel()
