"""Messages by an agent's own channel: once each, in order, journaled before and after, settled by the receipt."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
import trio

from tests.support import Home
from tmuxorc.actors._contact import Contact
from tmuxorc.actors._handover import Handover
from tmuxorc.actors.services import Services
from tmuxorc.agents import load_kinds
from tmuxorc.agents.evidence import ChannelLost
from tmuxorc.agents.schema import Launch
from tmuxorc.channels import Ability, Channel, ChannelDown, ChannelUnclear, Outgoing, Place, Receipt, Up
from tmuxorc.config import Settings
from tmuxorc.delivery import Outbox
from tmuxorc.journal import open_journal
from tmuxorc.model import AgentSpec, MessageView, Rung
from tmuxorc.paths import find_paths

ALICE = "main/alice"


class Mouth(Channel):
    """The channel of an agent that is told what to say and remembers what it was told."""

    name = "mouth"
    abilities = frozenset({Ability.DELIVER, Ability.QUEUE, Ability.RECEIPT})

    def __init__(self, place: Place, report: object) -> None:
        super().__init__(place, report)  # type: ignore[arg-type]
        self.told: list[tuple[str, str]] = []
        self.has: dict[str, bool | None] = {}
        self.fails: Exception | None = None
        self.answers = Rung.QUEUED

    async def run(self) -> None:
        await trio.sleep_forever()

    async def deliver(self, message: Outgoing) -> Rung:
        if self.fails is not None:
            raise self.fails
        self.told.append((message.id, message.text))
        return self.answers

    async def holds(self, message_id: str) -> bool | None:
        return self.has.get(message_id)

    def come_up(self) -> None:
        self.up = True
        self.report(Up())

    def go_down(self) -> None:
        self.up = False
        self.report(ChannelLost(at=0.0, channel=self.name, why="gone"))


class Bench:
    """One incarnation's handover with a journal behind it."""

    def __init__(self, services: Services, outbox: Outbox, handover: Handover, mouth: Mouth) -> None:
        self.services = services
        self.outbox = outbox
        self.handover = handover
        self.mouth = mouth

    async def run(self) -> None:
        """Do all there is to do."""
        while await self.handover.advance(self.outbox):
            pass

    async def rung(self, message: MessageView) -> Rung:
        """As the journal has it."""
        return (await self.services.journal.message(message.id)).rung


@asynccontextmanager
async def services() -> AsyncIterator[Services]:
    """A supervisor's shared parts, with an open journal and one agent."""
    paths = find_paths("test")
    shared = Services(paths, Settings(), load_kinds())
    shared.events.publish("agent.defined", ALICE, spec=msgspec.to_builtins(AgentSpec(name="alice")))
    async with open_journal(f"{paths.make_state_dir()}/journal.db") as shared.journal_or_none:
        yield shared


def incarnation(shared: Services, *, adopted: bool = False, peers_only: bool = False) -> Bench:
    """What a new process of the agent finds."""
    kind = msgspec.structs.replace(load_kinds()["demo"], launch=Launch(channel="mouth", peers_only=peers_only))
    made: list[Mouth] = []

    class Told(Mouth):
        def __init__(self, place: Place, report: object) -> None:
            super().__init__(place, report)
            made.append(self)

    def changed() -> None:
        if contact.up:
            handover.connected()

    def receive(receipt: Receipt) -> None:
        handover.take_receipt(receipt)

    contact = Contact(
        Told,
        Place(folder="/nowhere", program="p", cwd="/", home="/"),
        on_evidence=lambda _: None,
        on_receipt=receive,
        on_session=lambda _: None,
        on_change=changed,
    )
    handover = Handover(shared, kind, contact, adopted=adopted)
    outbox = Outbox(kind, incarnation="1.1", messages=handover.begin(shared.post.waiting(ALICE)))
    return Bench(shared, outbox, handover, made[0])


async def send(bench: Bench, *texts: str, sender: str = "operator") -> list[MessageView]:
    """Messages that come in while the agent runs."""
    sent: list[MessageView] = []
    for text in texts:
        sent += await bench.services.post.accept(bench.services.journal, sender, [ALICE], text)
        bench.outbox.add(sent[-1])
    return sent


@pytest.mark.parametrize(
    ("version", "doubt"),
    [("2.0", ""), ("", ""), ("2.1", "version 2.1 was never tried, only 1.9, 2.0")],
    ids=["known", "untold", "new"],
)
async def test_a_version_that_was_never_tried_is_told(home: Home, version: str, doubt: str) -> None:
    """The channel is used all the same: it checks what it reads."""
    made: list[Mouth] = []

    class Told(Mouth):
        def __init__(self, place: Place, report: object) -> None:
            super().__init__(place, report)
            made.append(self)

    contact = Contact(
        Told,
        Place(folder="/nowhere", program="p", cwd="/", home="/"),
        versions=("1.9", "2.0"),
        on_evidence=lambda _: None,
        on_receipt=lambda _: None,
        on_session=lambda _: None,
        on_change=lambda: None,
    )
    made[0].report(Up(version=version))
    assert contact.doubt == doubt


def taken(message: MessageView) -> Receipt:
    return Receipt(message_id=message.id, rung=Rung.TAKEN_IN, evidence="the model has it")


async def test_messages_go_in_order_and_are_settled_by_their_receipts(home: Home) -> None:
    async with services() as shared:
        bench = incarnation(shared)
        bench.mouth.come_up()
        one, two = await send(bench, "one", "two")
        await bench.run()
        assert bench.mouth.told == [(one.id, "one"), (two.id, "two")]
        assert [await bench.rung(m) for m in (one, two)] == [Rung.QUEUED, Rung.QUEUED]
        assert bench.handover.obstacle
        bench.mouth.report(taken(one))
        await bench.run()
        assert [await bench.rung(m) for m in (one, two)] == [Rung.TAKEN_IN, Rung.QUEUED]
        bench.mouth.report(taken(two))
        await bench.run()
        assert not bench.handover.obstacle
        assert shared.post.waiting(ALICE) == ()


async def test_nothing_is_handed_over_while_the_channel_is_down(home: Home) -> None:
    """Keys may be used then."""
    async with services() as shared:
        bench = incarnation(shared)
        await send(bench, "one")
        assert not await bench.handover.advance(bench.outbox)
        assert bench.outbox.first is not None
        assert not bench.handover.obstacle


async def test_what_the_channel_did_not_take_comes_back_to_its_place(home: Home) -> None:
    async with services() as shared:
        bench = incarnation(shared)
        bench.mouth.come_up()
        one, _ = await send(bench, "one", "two")
        bench.mouth.fails = ChannelDown("no way in")
        assert not await bench.handover.advance(bench.outbox) or not await bench.handover.advance(bench.outbox)
        assert [m.text for m in bench.outbox.waiting] == ["one", "two"]
        assert await bench.rung(one) is Rung.HELD


async def test_what_may_have_come_through_is_asked_for_before_it_is_sent_again(home: Home) -> None:
    """Where the agent has it, it is not sent twice; where it has not, it is."""
    async with services() as shared:
        bench = incarnation(shared)
        bench.mouth.come_up()
        one, two = await send(bench, "one", "two")
        bench.mouth.fails = ChannelUnclear("broke off")
        await bench.handover.advance(bench.outbox)
        await bench.handover.advance(bench.outbox)
        await bench.handover.advance(bench.outbox)
        bench.mouth.go_down()
        assert await bench.rung(one) is Rung.QUEUED
        bench.mouth.fails = None
        bench.mouth.has = {one.id: True, two.id: False}
        bench.mouth.come_up()
        await bench.run()
        assert bench.mouth.told == [(two.id, "two")]
        assert [await bench.rung(m) for m in (one, two)] == [Rung.QUEUED, Rung.QUEUED]


async def test_the_queue_of_a_dead_process_is_sent_again_in_order(home: Home) -> None:
    """Its own queue died with it; what its session had taken in is not sent again."""
    async with services() as shared:
        bench = incarnation(shared)
        bench.mouth.come_up()
        sent = await send(bench, "one", "two", "three")
        await bench.run()
        again = incarnation(shared)
        again.mouth.has = {sent[0].id: True, sent[1].id: False}
        again.mouth.come_up()
        await again.run()
        assert again.mouth.told == [(sent[1].id, "two"), (sent[2].id, "three")]
        again.mouth.report(taken(sent[0]))
        await again.run()
        assert await again.rung(sent[0]) is Rung.TAKEN_IN


async def test_the_next_supervisor_waits_for_the_receipts_of_a_process_it_adopts(home: Home) -> None:
    """An agent that cannot tell has got it: it was handed over whole."""
    async with services() as shared:
        bench = incarnation(shared)
        bench.mouth.come_up()
        one, two = await send(bench, "one", "two")
        await bench.run()
        again = incarnation(shared, adopted=True)
        again.mouth.has = {two.id: False}
        again.mouth.come_up()
        await again.run()
        assert again.mouth.told == [(two.id, "two")]
        again.mouth.report(taken(one))
        await again.run()
        assert await again.rung(one) is Rung.TAKEN_IN


async def test_a_lost_message_is_sent_again(home: Home) -> None:
    async with services() as shared:
        bench = incarnation(shared)
        bench.mouth.come_up()
        (one,) = await send(bench, "one")
        await bench.run()
        bench.mouth.report(Receipt(message_id=one.id, rung=Rung.ACCEPTED, evidence="its queue was cleared"))
        await bench.run()
        assert [id_ for id_, _ in bench.mouth.told] == [one.id, one.id]


async def test_a_receipt_for_nothing_of_ours_is_nothing(home: Home) -> None:
    async with services() as shared:
        bench = incarnation(shared)
        bench.mouth.come_up()
        bench.mouth.report(Receipt(message_id="m-99", rung=Rung.TAKEN_IN, evidence="?"))
        await bench.run()
        assert bench.mouth.told == []


@pytest.mark.parametrize(("sender", "goes"), [("operator", False), ("main/bob", True)])
async def test_a_person_does_not_speak_where_only_agents_are_believed(home: Home, sender: str, goes: bool) -> None:
    async with services() as shared:
        bench = incarnation(shared, peers_only=True)
        bench.mouth.come_up()
        await send(bench, "one", sender=sender)
        await bench.run()
        assert bool(bench.mouth.told) is goes


async def test_what_is_redelivered_has_a_token_of_its_own(home: Home) -> None:
    """An agent that tells messages by their ids would take the second attempt for the first."""
    async with services() as shared:
        bench = incarnation(shared)
        (one,) = await send(bench, "one")
        settled = await shared.post.advance(shared.journal, one.id, Rung.DEAD_LETTER, "no", "no")
        again = incarnation(shared)
        again.outbox.add(await shared.post.requeue(shared.journal, settled))
        again.mouth.come_up()
        await again.run()
        assert again.mouth.told == [(f"{one.id}.2", "one")]
