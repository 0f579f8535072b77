"""What every channel can do: the interface between an agent's actor and the code that speaks to one agent program."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import Enum
from typing import ClassVar

from tmuxorc.agents.evidence import Evidence
from tmuxorc.errors import DeliveryError, ExitStatus
from tmuxorc.model import AgentState, Frozen, Rung


class Ability(str, Enum):
    """What a channel may be asked for."""

    DELIVER = "deliver"
    """Take a message without a key being pressed."""
    QUEUE = "queue"
    """Keep a message until the running turn is over."""
    STEER = "steer"
    """Put a message into the running turn at once."""
    RECEIPT = "receipt"
    """Say when the model was given a message."""
    STATE = "state"
    """Tell what the agent is doing, unasked."""
    PROMPTS = "prompts"
    """Tell of permission prompts and take answers to them."""
    INTERRUPT = "interrupt"
    """End the running turn."""
    TRANSCRIPT = "transcript"
    """Tell everything that is said."""


class Place(Frozen):
    """Where one incarnation of an agent can be reached; kept in its private folder for the next supervisor.

    `folder` is that folder (0700), `program` the agent's executable, `cwd` its directory, `home` its HOME.  `port` and
    `password` are those handed out for `Launch`, 0 and empty if none were; `session` is the session gone on with, and
    `given` the name that a new one got at the start, empty if the agent names its sessions itself.
    `pid` is the agent's process where it was running before anybody asked us, else 0.
    """

    folder: str
    program: str
    cwd: str
    home: str
    port: int = 0
    password: str = ""
    session: str = ""
    given: str = ""
    pid: int = 0


class Outgoing(Frozen):
    """A message on its way: `text` is framed already; `steer` puts it into the running turn, on request only."""

    id: str
    text: str
    steer: bool = False


class Up(Frozen):
    """The channel is there: it can be used from now on.  `version` is the program's own, if it tells."""

    version: str = ""


class Receipt(Frozen):
    """How far a message came, as the agent itself says: `QUEUED` or `TAKEN_IN`, or `ACCEPTED` again if it was lost."""

    message_id: str
    rung: Rung
    evidence: str


class SessionKnown(Frozen):
    """The agent's own name for the session it is in, by which it can be gone on with."""

    session: str


Said = Evidence | Up | Receipt | SessionKnown
"""What a channel reports.  Evidence for the state: `ChannelSaid`, `ChannelLost`, `HookSaid`, `PromptSeen`."""

Report = Callable[[Said], None]
"""Takes what a channel says; it never blocks and may be called from the channel's own tasks only."""


class ChannelError(DeliveryError):
    """The channel did not do what was asked."""

    code = "channel"


class ChannelDown(ChannelError):
    """It is not there: nothing of what was asked has reached the agent."""

    code = "channel_down"
    exit_status = ExitStatus.UNREACHABLE


class ChannelUnclear(ChannelError):
    """The connection broke while it was asked: the agent may have got it."""

    code = "channel_unclear"


class PromptOver(ChannelError):
    """The prompt that was answered is no longer open: somebody was first, or it has changed."""

    code = "prompt_over"
    exit_status = ExitStatus.CONFLICT


class Channel(ABC):
    """A way into one incarnation of an agent, and out of it.

    `run` reports `Up` once it can be used, and `ChannelLost` when it no longer can; it connects anew by itself.
    """

    name: ClassVar[str]
    abilities: ClassVar[frozenset[Ability]]

    def __init__(self, place: Place, report: Report) -> None:
        self.place = place
        self.report = report
        self.up = False

    def can(self, ability: Ability) -> bool:
        """Whether it can do this now."""
        return self.up and ability in self.abilities

    @abstractmethod
    async def run(self) -> None:
        """Connect, listen and report, for ever; ends only by being cancelled."""

    async def deliver(self, message: Outgoing) -> Rung:
        """Hand a message over; returns how far it is known to have come: `QUEUED`, `SUBMITTED` or `TAKEN_IN`.

        Doing it again for a message that the agent has already does nothing, where the agent can tell.
        Raises `ChannelDown`, or `ChannelUnclear` if it may have come through.
        """
        raise ChannelDown(f"{self.name} takes no messages")

    def typed(self, message: Outgoing) -> None:  # noqa: B027 - most programs that take messages need none typed
        """The message is about to go through the composer, by keys: its receipt is wanted all the same."""

    async def holds(self, message_id: str) -> bool | None:
        """Whether the agent has this message, from an earlier life of ours; None if it cannot tell."""
        return None

    async def answer(self, prompt_id: str, key: str) -> None:
        """Answer a prompt with one of its options' keys.  Raises `PromptOver`, `ChannelDown`."""
        raise ChannelDown(f"{self.name} takes no answers")

    def seen(self, state: AgentState) -> None:  # noqa: B027 - most programs tell of every end of a turn
        """All evidence together says now that the agent is in `state`."""

    async def interrupt(self) -> None:
        """End the running turn; does nothing if there is none.  Raises `ChannelDown`."""
        raise ChannelDown(f"{self.name} cannot interrupt")

    async def hook(self, event: str, payload: bytes) -> bytes:
        """A hook of the agent reports `event` with this payload (JSON, unchecked); returns what it is to print.

        It may take its time where the agent waits for an answer; the caller gives up when the hook is gone.
        """
        return b""
