"""Frozen data shared by every part: what an agent, a team, a message and an event *are*.

Only `msgspec` is imported here: the module lies on the path of every short command.  Times are aware UTC datetimes
(names end in ``_at`` or ``_since``) or floats of seconds (names end in ``_s``).
"""

from datetime import datetime
from enum import Enum
from typing import Any, dataclass_transform

import msgspec


class AgentState(str, Enum):
    """What an agent is doing, as far as the evidence goes; `UNKNOWN` rather than a guess."""

    STARTING = "starting"
    IDLE = "idle"
    BUSY = "busy"
    BLOCKED = "blocked"
    LIMITED = "limited"
    FAILED = "failed"
    EXITED = "exited"
    UNKNOWN = "unknown"

    @property
    def alive(self) -> bool:
        """Whether a process stands behind this state."""
        return self not in (AgentState.FAILED, AgentState.EXITED)


class Desired(str, Enum):
    """What the operator wants; a child an operator stopped stays stopped (S7)."""

    RUNNING = "running"
    STOPPED = "stopped"


class Restart(str, Enum):
    """When a child comes back (S2)."""

    PERMANENT = "permanent"
    TRANSIENT = "transient"
    TEMPORARY = "temporary"


class Strategy(str, Enum):
    """Which siblings restart with a child (S8)."""

    ONE_FOR_ONE = "one_for_one"
    REST_FOR_ONE = "rest_for_one"
    ONE_FOR_ALL = "one_for_all"


class AutoShutdown(str, Enum):
    """When a supervisor folds up because significant children finished (S12)."""

    NEVER = "never"
    ANY_SIGNIFICANT = "any_significant"
    ALL_SIGNIFICANT = "all_significant"


class Rung(str, Enum):
    """How far a message has come."""

    ACCEPTED = "accepted"
    STAGED = "staged"
    QUEUED = "queued"
    SUBMITTED = "submitted"
    TAKEN_IN = "taken_in"
    ANSWERED = "answered"
    HELD = "held"
    UNVERIFIED = "unverified"
    EXPIRED = "expired"
    DEAD_LETTER = "dead_letter"
    CANCELLED = "cancelled"

    @property
    def settled(self) -> bool:
        """Whether nothing more will be done for the message unasked."""
        return self not in (Rung.ACCEPTED, Rung.STAGED, Rung.QUEUED, Rung.HELD)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Frozen(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the frozen records; every field is given by name."""


class AgentSpec(Frozen, omit_defaults=True, forbid_unknown_fields=True):
    """The desired state of one agent, as journaled.

    `command` is the argument vector exec'd as the pane's own process, never through a shell; empty: the kind's own.
    `path` is the PATH of whoever spawned it: the program is looked up there, now and at every restart.  `shutdown_s` is
    how long it may take to end when asked; None: as configured.
    """

    name: str
    team: str = "main"
    kind: str = "command"
    command: tuple[str, ...] = ()
    cwd: str = "/"
    env: dict[str, str] = {}
    path: str = ""
    brief: str = ""
    role: str = ""
    restart: Restart = Restart.TRANSIENT
    shutdown_s: float | None = None
    significant: bool = False

    @property
    def address(self) -> str:
        """``team/name``."""
        return f"{self.team}/{self.name}"


class TeamSpec(Frozen, omit_defaults=True, forbid_unknown_fields=True):
    """The desired state of one team without its agents, as journaled.  `period_s` is the intensity window (S9).

    The default intensity is out of reach on purpose: a failing agent ends in quarantine by itself (S10), and a hundred
    agents killed at once are no reason to stop their team.
    """

    name: str
    strategy: Strategy = Strategy.ONE_FOR_ONE
    intensity: int = 1000
    period_s: float = 60.0
    auto_shutdown: AutoShutdown = AutoShutdown.NEVER


class LastExit(Frozen):
    """How the last incarnation of an agent ended.

    `reason` is one of ``finished stopped failed killed start_failed start_timeout`` (S3); `status` the exit status or
    None, `signal` the signal's name or None, `last_lines` what stood last on its screen.
    """

    reason: str
    at: datetime
    status: int | None = None
    signal: str | None = None
    message: str = ""
    last_lines: tuple[str, ...] = ()


class PromptOption(Frozen):
    """One answer that a prompt offers: `key` is what to answer with, `label` what the agent calls it."""

    key: str
    label: str


class Prompt(Frozen):
    """What an agent asks a person.  `id` changes with every prompt, so that an answer can only meet the one it is for.

    `command` is what it would run, as far as that is known.  `approve` and `deny` are the keys of the options that
    allow it once and that refuse it; empty where there is none.  `source` says where it was learnt: the name of the
    agent's channel, ``hook`` or ``screen``.
    """

    id: str
    source: str
    question: str
    command: str = ""
    options: tuple[PromptOption, ...] = ()
    approve: str = ""
    deny: str = ""


class Verdict(str, Enum):
    """What a person makes of a prompt."""

    APPROVE = "approve"
    DENY = "deny"
    ANSWER = "answer"


class Choice(Frozen):
    """An answer to a prompt: `key` names the option for `ANSWER`.

    With `expect` only a prompt is meant whose question or command holds that text.
    """

    verdict: Verdict
    key: str = ""
    expect: str = ""


class Clue(Frozen):
    """One piece of evidence: what was seen, where, how long ago in seconds, and what it says of the state, if anything.

    `rule` is the place of the rule in the kind's file; `decides` marks the one that counts.
    """

    source: str
    seen: str
    age_s: float
    state: AgentState | None = None
    rule: str = ""
    decides: bool = False


class Why(Frozen):
    """Why an agent is thought to be in its state: the clues, what decides first, then the rest, newest first.

    `channel` tells how its channel stands; empty for a kind without one.
    """

    address: str
    state: AgentState
    detail: str
    since: datetime
    clues: tuple[Clue, ...]
    channel: str = ""


class AgentView(Frozen):
    """One agent as shown to people and programs.

    `session` is the agent's own name for the session it is in, `prompt` what it asks just now, `channel` the way to
    speak to it besides its keyboard: its name, and behind a colon why it cannot be used if it cannot.
    """

    name: str
    team: str
    address: str
    kind: str
    role: str
    state: AgentState
    state_since: datetime
    detail: str
    desired: Desired
    generation: int
    restarts: int
    restart: Restart
    restart_at: datetime | None
    last_exit: LastExit | None
    pane: str | None
    window: str | None
    pid: int | None
    cwd: str
    command: tuple[str, ...]
    brief: str
    adopted: bool
    created_at: datetime
    messages_waiting: int
    session: str = ""
    prompt: Prompt | None = None
    channel: str = ""


class TeamView(Frozen):
    """One team as shown: `agents` lists its agents' addresses, `states` counts them by state."""

    name: str
    strategy: Strategy
    intensity: int
    period_s: float
    auto_shutdown: AutoShutdown
    desired: Desired
    session: str | None
    agents: tuple[str, ...]
    states: dict[str, int]
    created_at: datetime


class MessageStep(Frozen):
    """One step of a message's history."""

    rung: Rung
    at: datetime
    evidence: str


class Terms(Frozen, omit_defaults=True):
    """How a message wants to be treated.

    One of higher `priority` goes before those of lower that wait.  After `expires_at` it is no longer delivered; None
    means as configured.  `reply_to` is the id of the message it answers.  With `steer` it goes into the running turn,
    where the agent can.  Of messages to one agent with the same `dedup` the first is kept, and the rest are taken for
    it.
    """

    priority: int = 0
    expires_at: datetime | None = None
    reply_to: str = ""
    steer: bool = False
    dedup: str = ""


class MessageView(Frozen):
    """One message to one agent; `detail` says why it stands where it stands."""

    id: str
    sender: str
    target: str
    text: str
    rung: Rung
    detail: str
    created_at: datetime
    updated_at: datetime
    history: tuple[MessageStep, ...] = ()
    terms: Terms = Terms()


class EventView(Frozen):
    """One entry of the typed stream.  `type` is ``noun.verb`` (``agent.exited``), `subject` an address or a part."""

    seq: int
    at: datetime
    type: str
    subject: str
    generation: int = 0
    data: dict[str, Any] = {}


class Attention(Frozen):
    """Something that needs a person."""

    address: str
    state: AgentState
    since: datetime
    detail: str


class DaemonStatus(Frozen):
    """The supervisor process itself; `rss_bytes` and `cpu_s` are its own use so far, `tmux` says how tmux stands."""

    pid: int
    version: str
    protocol: int
    uptime_s: float
    instance: str
    socket: str
    tmux_socket: str
    journal: str
    log: str
    tmux_version: str
    tmux_state: str
    rss_bytes: int
    cpu_s: float


class SystemStatus(DaemonStatus):
    """Everything at a glance: the supervisor's own fields, then the teams, agents by state, messages by rung."""

    teams: tuple[TeamView, ...]
    agents_total: int
    agents: dict[str, int]
    messages: dict[str, int]
    attention: tuple[Attention, ...]


class SessionView(Frozen):
    """One tmux session of ours; `attached` counts the people looking at it."""

    id: str
    name: str
    team: str | None
    windows: int
    attached: int
