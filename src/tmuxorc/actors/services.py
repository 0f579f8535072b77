"""What the actors of one supervisor share: plain references, each written by the actor that owns the thing behind."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Protocol

import trio

from tmuxorc.actors import System
from tmuxorc.actors._budget import ReadBudget
from tmuxorc.actors._grudge import Grudge
from tmuxorc.actors.eventlog import EventLog
from tmuxorc.actors.keeper import Keeper
from tmuxorc.actors.post import Post
from tmuxorc.actors.roster import Roster
from tmuxorc.agents import Kind
from tmuxorc.config import Settings
from tmuxorc.errors import ConflictError, JournalError, TmuxError
from tmuxorc.journal import Journal
from tmuxorc.model import AgentSpec, Choice, Prompt, Why
from tmuxorc.paths import Paths, tmux_socket
from tmuxorc.tmux import Endpoint, PaneInfo, Tmux


class Desk(Protocol):
    """An agent's actor, as requests know it: what can be asked of an agent that runs."""

    async def hook(self, event: str, payload: bytes) -> bytes:
        """A hook of the agent reports; what it is to print."""
        ...

    async def answer(self, choice: Choice) -> Prompt:
        """Answer what the agent asks; the prompt that was answered."""
        ...

    async def interrupt(self) -> str:
        """End the running turn; how that was done."""
        ...

    def why(self) -> Why:
        """What is known of its state, and from where."""
        ...


class Services:
    """`journal` and `tmux` are None while their actors are down; `panes` is what tmux holds of ours, by address.

    `companions` are the panes of what runs beside agents, and `desks` who answers for the agents that run now.

    With `detaching` set, an agent that is stopped lets go of its pane and leaves the process running.  `inherited`
    names the variables that the tmux server hands to every pane.
    """

    def __init__(self, paths: Paths, settings: Settings, kinds: Mapping[str, Kind]) -> None:
        self.paths = paths
        self.settings = settings
        self.kinds = kinds
        self.roster = Roster()
        self.grudge = Grudge()
        self.events = EventLog(self.roster, self.grudge)
        self.post = Post(self.events, ttl_s=settings.delivery.ttl_s, capacity=settings.agent.mailbox)
        self.keeper = Keeper(self.roster, self.grudge)
        self.panes: dict[str, PaneInfo] = {}
        self.companions: dict[str, PaneInfo] = {}
        self.desks: dict[str, Desk] = {}
        self._grace_s: dict[str, float] = {}
        self._endings: dict[str, trio.CancelScope] = {}
        self._claims: dict[str, trio.Event] = {}
        self.detaching = False
        self.loaded = False
        self.close_tmux = False
        self.endpoint: Endpoint | None = None
        self.shutdown = trio.Event()
        self.started_at = trio.current_time()
        self.tmux_socket = tmux_socket(paths.instance, settings.tmux.socket)
        self.reads = ReadBudget()
        self.inherited: tuple[str, ...] = ()
        self._letting_go: set[str] = set()
        self.journal_or_none: Journal | None = None
        self.tmux_or_none: Tmux | None = None
        self.system_or_none: System | None = None

    @property
    def journal(self) -> Journal:
        """The open journal; raises `JournalError` while there is none."""
        if self.journal_or_none is None:
            raise JournalError("the journal is not open just now", hint="see: tmux-orc daemon logs")
        return self.journal_or_none

    @property
    def tmux(self) -> Tmux:
        """The connection to tmux; raises `TmuxError` (``tmux_away``) while there is none."""
        if self.tmux_or_none is None:
            error = TmuxError("tmux is away; the supervisor is connecting again", hint="see: tmux-orc daemon logs")
            error.code = "tmux_away"
            raise error
        return self.tmux_or_none

    @property
    def system(self) -> System:
        """The actor tree this belongs to."""
        assert self.system_or_none is not None, "asked for before the tree was opened"
        return self.system_or_none

    def leaving(self, team: str) -> bool:
        """Whether agents of `team` that stop now are to leave their processes alone: we go, or tmux is away."""
        return self.detaching or self.tmux_or_none is None or team in self._letting_go

    @contextmanager
    def letting_go(self, team: str) -> Generator[None]:
        """Within, agents of `team` that stop leave their processes running, to be adopted again."""
        self._letting_go.add(team)
        try:
            yield
        finally:
            self._letting_go.discard(team)

    def grace_of(self, spec: AgentSpec) -> float:
        """How long the agent may take to end just now, in seconds."""
        configured = self.settings.agent.shutdown_s
        return self._grace_s.get(spec.address, configured if spec.shutdown_s is None else spec.shutdown_s)

    @contextmanager
    def grace(self, address: str, grace_s: float | None) -> Generator[None]:
        """Within, the agent's stop has `grace_s` seconds instead of its own (None: its own).

        A stop that is under way already is cut short if that leaves it less.
        """
        if grace_s is not None:
            self._grace_s[address] = grace_s
            if address in self._endings:
                scope = self._endings[address]
                scope.deadline = min(scope.deadline, trio.current_time() + grace_s)
        try:
            yield
        finally:
            self._grace_s.pop(address, None)

    @contextmanager
    def ending(self, spec: AgentSpec) -> Generator[trio.CancelScope]:
        """A scope that ends with the agent's grace, however that changes meanwhile."""
        with trio.CancelScope(deadline=trio.current_time() + self.grace_of(spec)) as scope:
            self._endings[spec.address] = scope
            try:
                yield scope
            finally:
                self._endings.pop(spec.address, None)

    @contextmanager
    def claim(self, subject: str, doing: str) -> Generator[None]:
        """Within, whoever else claims `subject` gets a `ConflictError` (``under_way``) naming what is being done."""
        if subject in self._claims:
            error = ConflictError(f"{subject} is being {doing} already", hint="try again when that is done")
            error.code = "under_way"
            raise error
        done = self._claims[subject] = trio.Event()
        try:
            yield
        finally:
            del self._claims[subject]
            done.set()

    async def unclaimed(self, subject: str) -> None:
        """Return once nobody claims `subject`."""
        while (done := self._claims.get(subject)) is not None:
            await done.wait()

    def is_claimed(self, subject: str) -> bool:
        """Whether somebody claims `subject`."""
        return subject in self._claims
