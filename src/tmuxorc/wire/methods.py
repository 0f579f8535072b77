"""Every request of the socket protocol, with the types of its parameters and of its result.

Client and server share this module and nothing else about the requests.  A `Method` is data: adding a request is adding
a line here, a route in the supervisor, and a command.
"""

from typing import Any, Generic, Self, TypeVar

import msgspec

from tmuxorc.model import (
    AgentSpec,
    AgentState,
    AgentView,
    Choice,
    DaemonStatus,
    EventView,
    Frozen,
    MessageView,
    Prompt,
    Restart,
    Rung,
    SessionView,
    SystemStatus,
    TeamSpec,
    TeamView,
    Why,
)

PROTOCOL = 1
"""Raised whenever an older peer could misunderstand a newer one."""

P = TypeVar("P")
R = TypeVar("R")


class Method(Generic[P, R]):
    """One request: its name on the wire, the type of its parameters and of its result.

    With `stream` set, notifications named ``NAME`` carrying `stream` objects come before the result.
    """

    __slots__ = ("name", "params", "result", "stream")

    def __init__(self, name: str, params: type[P], result: type[R], *, stream: type | None = None) -> None:
        self.name = name
        self.params = params
        self.result = result
        self.stream = stream

    def __repr__(self) -> str:
        return f"<Method {self.name}>"


class Params(Frozen, omit_defaults=True, forbid_unknown_fields=True):
    """Base of all parameters: an unknown field is an error, so that a typo is never silently ignored."""


class Empty(Params):
    """No parameters."""


class Hello(Params):
    """First message of a connection: who speaks, and which protocol."""

    protocol: int
    version: str
    client: str = "cli"


class HelloReply(Frozen):
    """The supervisor's own protocol and version."""

    protocol: int
    version: str
    instance: str
    pid: int


class Done(Frozen):
    """What was done, for requests with nothing else to say: `changed` is False if it was so already."""

    changed: bool
    message: str = ""


# --- daemon ---------------------------------------------------------------------------------------------------------


class StopDaemon(Params):
    """Stop the supervisor; with `agents`, end the agents first, in order."""

    agents: bool = False


# --- agents ---------------------------------------------------------------------------------------------------------


class Spawn(Params):
    """Start one agent.  `wait` is None or ``ready`` (the agent has left `starting`)."""

    spec: AgentSpec
    wait: str | None = None
    timeout_s: float = 60.0


class ListAgents(Params):
    """Filters: a team's name, states; empty means all."""

    team: str | None = None
    states: tuple[AgentState, ...] = ()


class AgentList(Frozen):
    """Agents in the order of their addresses."""

    agents: tuple[AgentView, ...]


class Target(Params):
    """One agent: ``team/name``, or a bare name while it is the only one."""

    target: str


class ReadScreen(Target):
    """`ansi` keeps colours as escape sequences; `history` counts lines of scrollback above the visible screen."""

    ansi: bool = False
    history: int = 0


class Screen(Frozen):
    """A pane as it is: `lines` top to bottom, `cursor` as (column, row) from 0, `columns` × `rows` cells."""

    address: str
    pane: str
    lines: tuple[str, ...]
    cursor: tuple[int, int]
    columns: int
    rows: int
    title: str


class SendKeys(Target):
    """Keys in tmux's names (``Enter``, ``C-c``, ``Escape``), or literal text with `literal`."""

    keys: tuple[str, ...]
    literal: bool = False


class WaitAgent(Target):
    """Wait until the agent is in one of `states`."""

    states: tuple[AgentState, ...]
    timeout_s: float = 60.0


class StopAgent(Target):
    """Stop in order: ask, wait `grace_s` (None: the agent's own `shutdown_s`), then kill."""

    grace_s: float | None = None


class Adopt(Params):
    """Take over the pane `pane` (``%12``) of our tmux server that already runs a program."""

    pane: str
    name: str
    team: str = "main"
    kind: str = "command"
    restart: Restart = Restart.TEMPORARY


class AttachTarget(Frozen):
    """What `tmux` needs to show an agent or a team: a session and window by id, on the socket at this path."""

    tmux: str
    tmux_socket: str
    session: str
    window: str | None


class AnswerPrompt(Target):
    """Answer what the agent asks just now, and nothing else."""

    choice: Choice


class Answered(Frozen):
    """The prompt that was answered, and by whom it can be seen in the events."""

    address: str
    prompt: Prompt


class HookReport(Params):
    """A hook of the agent `agent` (an address) reports `event` with its `payload`, JSON as the agent wrote it."""

    agent: str
    event: str
    payload: str


class HookReply(Frozen):
    """What the hook is to print; nearly always nothing."""

    print: str


# --- messages -------------------------------------------------------------------------------------------------------


class SendMessage(Params):
    """A message to an agent, a team (``team/*``) or everyone (``*``).

    `wait` is the rung to wait for; the answer comes when every copy has reached it, or can no longer.  With `ttl_s` it
    is not delivered any more after so many seconds; for `priority`, `reply_to`, `steer` and `dedup` see `Terms`.  `now`
    ends a running turn first.
    """

    target: str
    text: str
    sender: str = "operator"
    wait: Rung | None = None
    timeout_s: float = 30.0
    priority: int = 0
    ttl_s: float | None = None
    reply_to: str = ""
    dedup: str = ""
    steer: bool = False
    now: bool = False


class MessageList(Frozen):
    """Newest last."""

    messages: tuple[MessageView, ...]


class Sent(MessageList):
    """One message for each receiver; `id` and `rung` are those of the only one, None if there are several."""

    id: str | None
    rung: Rung | None

    @classmethod
    def of(cls, messages: tuple[MessageView, ...]) -> Self:
        """What is answered for `messages`."""
        if len(messages) != 1:
            return cls(messages=messages, id=None, rung=None)
        return cls(messages=messages, id=messages[0].id, rung=messages[0].rung)


class Reply(Params):
    """Answer the message `id`: its sender gets `text`, if it is an agent, and the message is `answered`."""

    id: str
    text: str
    sender: str


class ListMessages(Params):
    """Filters, and how many of the newest to give."""

    target: str | None = None
    rungs: tuple[Rung, ...] = ()
    limit: int = 100


class MessageId(Params):
    """One message."""

    id: str


# --- teams ----------------------------------------------------------------------------------------------------------


class CreateTeam(Params):
    """Make an empty team."""

    spec: TeamSpec


class TeamName(Params):
    """One team."""

    team: str


class TeamList(Frozen):
    """Teams by name."""

    teams: tuple[TeamView, ...]


class TeamDetail(Frozen):
    """A team with its agents."""

    team: TeamView
    agents: tuple[AgentView, ...]


class ApplyTeam(Params):
    """Make the team what `spec` and `agents` say, touching only what differs; with `dry_run` only say so."""

    spec: TeamSpec
    agents: tuple[AgentSpec, ...]
    dry_run: bool = False


class PlanStep(Frozen):
    """One difference between what is and what was asked: `action` is ``create restart update remove keep``."""

    action: str
    subject: str
    why: str


class Plan(Frozen):
    """The steps in the order they are taken; `applied` tells whether they were."""

    team: str
    steps: tuple[PlanStep, ...]
    applied: bool


# --- events and sessions --------------------------------------------------------------------------------------------


class ListEvents(Params):
    """Events after `since` (a sequence number), oldest first; without it the newest `limit`.

    `subject` is an address, the name of a team or a part, or ``team/*`` for all agents of one team.
    """

    since: int | None = None
    limit: int = 200
    subject: str | None = None


class EventList(Frozen):
    """Oldest first; `last_seq` is the newest there is, to go on from."""

    events: tuple[EventView, ...]
    last_seq: int


class FollowEvents(Params):
    """Events after `since`, then every new one as it is journaled, until the client goes away.

    `subject` as in `ListEvents`.
    """

    since: int | None = None
    subject: str | None = None


class SessionList(Frozen):
    """Our tmux sessions; nobody else's."""

    sessions: tuple[SessionView, ...]


HELLO = Method("hello", Hello, HelloReply)
DAEMON_STATUS = Method("daemon.status", Empty, DaemonStatus)
DAEMON_STOP = Method("daemon.stop", StopDaemon, Done)
SYSTEM_STATUS = Method("system.status", Empty, SystemStatus)

AGENT_SPAWN = Method("agent.spawn", Spawn, AgentView)
AGENT_LIST = Method("agent.list", ListAgents, AgentList)
AGENT_INFO = Method("agent.info", Target, AgentView)
AGENT_SCREEN = Method("agent.screen", ReadScreen, Screen)
AGENT_KEYS = Method("agent.keys", SendKeys, Done)
AGENT_WAIT = Method("agent.wait", WaitAgent, AgentView)
AGENT_START = Method("agent.start", Target, AgentView)
AGENT_STOP = Method("agent.stop", StopAgent, AgentView)
AGENT_RESTART = Method("agent.restart", StopAgent, AgentView)
AGENT_KILL = Method("agent.kill", Target, AgentView)
AGENT_REMOVE = Method("agent.remove", StopAgent, Done)
AGENT_ADOPT = Method("agent.adopt", Adopt, AgentView)
AGENT_ATTACH = Method("agent.attach", Target, AttachTarget)
AGENT_ANSWER = Method("agent.answer", AnswerPrompt, Answered)
AGENT_INTERRUPT = Method("agent.interrupt", Target, Done)
AGENT_WHY = Method("agent.why", Target, Why)
HOOK_REPORT = Method("hook.report", HookReport, HookReply)

MESSAGE_SEND = Method("message.send", SendMessage, Sent)
MESSAGE_LIST = Method("message.list", ListMessages, MessageList)
MESSAGE_SHOW = Method("message.show", MessageId, MessageView)
MESSAGE_CANCEL = Method("message.cancel", MessageId, MessageView)
MESSAGE_ACK = Method("message.ack", MessageId, MessageView)
MESSAGE_REPLY = Method("message.reply", Reply, MessageView)
MESSAGE_REDELIVER = Method("message.redeliver", MessageId, MessageView)

TEAM_CREATE = Method("team.create", CreateTeam, TeamView)
TEAM_LIST = Method("team.list", Empty, TeamList)
TEAM_STATUS = Method("team.status", TeamName, TeamDetail)
TEAM_START = Method("team.start", TeamName, TeamDetail)
TEAM_STOP = Method("team.stop", TeamName, TeamDetail)
TEAM_REMOVE = Method("team.remove", TeamName, Done)
TEAM_APPLY = Method("team.apply", ApplyTeam, Plan, stream=PlanStep)

EVENT_LIST = Method("event.list", ListEvents, EventList)
EVENT_FOLLOW = Method("event.follow", FollowEvents, EventList, stream=EventView)

SESSION_LIST = Method("session.list", Empty, SessionList)
SESSION_ATTACH = Method("session.attach", TeamName, AttachTarget)

AnyMethod = Method[Any, Any]
METHODS: dict[str, AnyMethod] = {m.name: m for m in list(globals().values()) if isinstance(m, Method)}


class ErrorInfo(Frozen):
    """A `TmuxOrcError` on the wire, in the ``data`` member of a JSON-RPC error."""

    code: str
    exit_status: int
    hint: str = ""
    details: dict[str, Any] = {}


class RpcError(msgspec.Struct, frozen=True):
    """The error member of a response."""

    code: int
    message: str
    data: ErrorInfo | None = None
