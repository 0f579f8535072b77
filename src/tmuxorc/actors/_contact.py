"""An agent's channel as its actor holds it: kept running, its words passed on to who needs them."""

import logging
from collections.abc import Callable

from tmuxorc.actors._place import take_spool
from tmuxorc.agents.evidence import ChannelLost, Evidence
from tmuxorc.channels import (
    Ability,
    Channel,
    ChannelDown,
    Outgoing,
    Place,
    Receipt,
    Said,
    SessionKnown,
    Up,
)
from tmuxorc.model import AgentState, Rung

log = logging.getLogger(__name__)


class Contact:
    """One incarnation's channel, made by `channel`, a subclass of `Channel`.

    `on_evidence` takes what tells of the agent's state, `on_receipt` what tells of messages, `on_session` the agent's
    own name for its session, and `on_change` is called when the channel came up or was lost.  `versions` are those of
    the program that the channel was proved on; none means that nothing is known of them.
    """

    def __init__(
        self,
        channel: type[Channel],
        place: Place,
        *,
        versions: tuple[str, ...] = (),
        on_evidence: Callable[[Evidence], None],
        on_receipt: Callable[[Receipt], None],
        on_session: Callable[[str], None],
        on_change: Callable[[], None],
    ) -> None:
        self.name = channel.name
        self.place = place
        self.why_down = "it has not answered yet"
        self.version = ""
        self._versions = versions
        self._on_evidence = on_evidence
        self._on_receipt = on_receipt
        self._on_session = on_session
        self._on_change = on_change
        self._channel: Channel = channel(place, self._take)

    def __repr__(self) -> str:
        return f"<Contact {self.name} {'up' if self.up else self.why_down}>"

    @property
    def up(self) -> bool:
        """Whether it can be used now."""
        return self._channel.up

    @property
    def doubt(self) -> str:
        """What a person should know of a channel that is up; empty if nothing."""
        if not self._versions or self.version in ("", *self._versions):
            return ""
        return f"version {self.version} was never tried, only {', '.join(self._versions)}"

    def can(self, ability: Ability) -> bool:
        """Whether it can do this now."""
        return self._channel.can(ability)

    async def run(self) -> None:
        """Take what hooks left while no supervisor ran, then follow the channel for ever."""
        for event, payload in take_spool(self.place.folder):
            await self._channel.hook(event, payload)
        await self._channel.run()

    async def hook(self, event: str, payload: bytes) -> bytes:
        """A hook of the agent reports; what it is to print."""
        return await self._channel.hook(event, payload)

    async def deliver(self, message_id: str, text: str, *, steer: bool = False) -> Rung:
        """As `Channel.deliver`."""
        return await self._channel.deliver(Outgoing(id=message_id, text=text, steer=steer))

    def typed(self, message_id: str, text: str) -> None:
        """As `Channel.typed`."""
        self._channel.typed(Outgoing(id=message_id, text=text))

    async def holds(self, message_id: str) -> bool | None:
        """As `Channel.holds`; None as well if it is lost meanwhile."""
        try:
            return await self._channel.holds(message_id)
        except ChannelDown:
            return None

    async def answer(self, prompt_id: str, key: str) -> None:
        """As `Channel.answer`."""
        await self._channel.answer(prompt_id, key)

    def seen(self, state: AgentState) -> None:
        """As `Channel.seen`."""
        self._channel.seen(state)

    async def interrupt(self) -> None:
        """As `Channel.interrupt`."""
        await self._channel.interrupt()

    def _take(self, said: Said) -> None:
        match said:
            case Up():
                self.version = said.version
                log.info("channel %s of %s is up", self.name, self.place.folder)
                if self.doubt:
                    log.warning("channel %s of %s: %s", self.name, self.place.folder, self.doubt)
                self._on_change()
            case SessionKnown():
                self._on_session(said.session)
            case Receipt():
                self._on_receipt(said)
            case _:
                self._on_evidence(said)
                if isinstance(said, ChannelLost):
                    self.why_down = said.why or "it was lost"
                    self._on_change()
