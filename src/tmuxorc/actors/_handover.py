"""Messages by an agent's own channel: handed over once, journaled before and after, settled by the receipt.

A message is `queued` from the moment before it is handed over until the agent says that its model was given it.  The
agent's queue dies with its process: what it had not taken in by then is sent again.
"""

from collections.abc import Iterable

from tmuxorc.actors._contact import Contact
from tmuxorc.actors.services import Services
from tmuxorc.agents.kinds import Kind
from tmuxorc.channels import Ability, ChannelError, ChannelUnclear, Receipt
from tmuxorc.delivery import OPERATOR, Outbox, framed, token_of
from tmuxorc.model import MessageView, Rung


class Handover:
    """One incarnation's messages on their way through its channel.

    `adopted`: the process ran before, so what is `queued` may still be in its queue.
    """

    def __init__(self, services: Services, kind: Kind, contact: Contact, *, adopted: bool) -> None:
        self._services = services
        self._kind = kind
        self._contact = contact
        self._adopted = adopted
        self._out: dict[str, MessageView] = {}
        self._typed: dict[str, MessageView] = {}
        self._receipts: list[Receipt] = []
        self._unsure = True

    def __repr__(self) -> str:
        return f"<Handover by {self._contact!r}, no receipt yet: {list(self._out)}>"

    def begin(self, messages: Iterable[MessageView]) -> list[MessageView]:
        """Take those of `messages` that the agent may have in its queue; returns the others."""
        messages = list(messages)
        self._out = {token_of(message): message for message in messages if message.rung is Rung.QUEUED}
        return [message for message in messages if message.rung is not Rung.QUEUED]

    # --- from the channel ---

    def take_receipt(self, receipt: Receipt) -> None:
        """The agent said how far a message came."""
        self._receipts.append(receipt)

    def connected(self) -> None:
        """The channel is up, or up again: what the agent has of ours is to be asked."""
        self._unsure = True

    @property
    def gives_receipts(self) -> bool:
        """Whether the channel tells of messages that were typed, too."""
        return self._contact.can(Ability.RECEIPT)

    def note_typed(self, message: MessageView) -> None:
        """A message goes by keys: its receipt may come by the channel."""
        if self.gives_receipts:
            self._typed[token_of(message)] = message
            self._contact.typed(token_of(message), framed(self._kind, message))

    # --- from the courier's task ---

    async def advance(self, outbox: Outbox) -> bool:
        """Do the next thing there is to do by channel; False if there is nothing."""
        if self._receipts:
            await self._settle(self._receipts.pop(0), outbox)
            return True
        if self._unsure and self._contact.up:
            self._unsure = False
            await self._reconcile(outbox)
            return True
        first = outbox.first
        if first is None or not self.takes(first):
            return False
        return await self._hand_over(first, outbox)

    @property
    def obstacle(self) -> str:
        """Why no message may be typed just now: one that went before it would be overtaken.  Empty if one may."""
        return "an earlier message waits in the agent's own queue" if self._out else ""

    def takes(self, message: MessageView) -> bool:
        """Whether the message can go by the channel now."""
        peers_only = self._kind.launch.peers_only and message.sender == OPERATOR
        return self._contact.can(Ability.DELIVER) and not peers_only and message.rung is not Rung.STAGED

    async def _hand_over(self, message: MessageView, outbox: Outbox) -> bool:
        token, name = token_of(message), self._contact.name
        await self._advance(message, Rung.QUEUED, f"being handed over by the {name} channel")
        outbox.take_first()
        self._out[token] = message
        try:
            rung = await self._contact.deliver(token, framed(self._kind, message), steer=message.terms.steer)
        except ChannelUnclear as error:
            await self._advance(message, Rung.QUEUED, f"handed over by the {name} channel, which then broke: {error}")
            self._unsure = True
        except ChannelError as error:
            await self._back(token, outbox, f"the {name} channel did not take it: {error}")
            return False
        else:
            await self._advance(message, rung, f"the {name} channel has taken it")
            if rung.settled:
                self._out.pop(token, None)
        return True

    async def _settle(self, receipt: Receipt, outbox: Outbox) -> None:
        message = self._out.get(receipt.message_id)
        if message is None:
            await self._settle_typed(receipt)
            return
        if receipt.rung is Rung.ACCEPTED:
            await self._back(receipt.message_id, outbox, receipt.evidence)
            return
        await self._advance(message, receipt.rung, receipt.evidence)
        if receipt.rung.settled:
            self._out.pop(receipt.message_id, None)

    async def _settle_typed(self, receipt: Receipt) -> None:
        """A message that was typed by keys has come to the model, whatever the screen showed."""
        message = self._typed.pop(receipt.message_id, None)
        if message is None or receipt.rung is not Rung.TAKEN_IN:
            return
        services = self._services
        now = await services.grudge.insist(lambda: services.journal.message(message.id))
        if now.rung in (Rung.STAGED, Rung.SUBMITTED, Rung.UNVERIFIED):
            await self._advance(message, Rung.TAKEN_IN, receipt.evidence)

    async def _reconcile(self, outbox: Outbox) -> None:
        """Ask for each message without a receipt whether the agent has it; newest first, so that all keep their order.

        What the agent has stays out: its receipt follows.  A new process that cannot tell has nothing.
        """
        for token in reversed(list(self._out)):
            held = await self._contact.holds(token)
            if held is False or (held is None and not self._adopted):
                await self._back(token, outbox, "the agent does not have it: it is sent again")
        self._adopted = True

    async def _back(self, token: str, outbox: Outbox, why: str) -> None:
        message = self._out.pop(token)
        outbox.put_back(await self._advance(message, Rung.HELD, why, why))

    async def _advance(self, message: MessageView, rung: Rung, evidence: str, detail: str = "") -> MessageView:
        services = self._services
        return await services.grudge.insist(
            lambda: services.post.advance(services.journal, message.id, rung, evidence, detail)
        )
