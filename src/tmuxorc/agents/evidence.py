"""What can be seen of an agent, as data: the detector and the delivery ladder are fed with these.

`at` is a time in seconds on any clock, the same for all evidence of one agent.
"""

from tmuxorc.model import AgentState, Frozen, Prompt


class Evidence(Frozen):
    """Base of everything seen."""

    at: float


class ProcessStarted(Evidence):
    """The agent's process runs: just started, or `adopted` while it had been running for some time."""

    adopted: bool = False


class ReadyTimedOut(Evidence):
    """The kind's `ready_timeout_s` has passed since the start."""


class ScreenSeen(Evidence):
    """The visible screen, never scrollback: `lines` top to bottom, `cursor` as (column, row) in cells from 0.

    `in_mode`: a person looks at it in copy mode or the like.  `solid` are the same lines with blanks for what is faint
    or grey, for kinds that ask (`Composer.placeholder`); else it is empty.
    """

    lines: tuple[str, ...]
    cursor: tuple[int, int] = (0, 0)
    cursor_visible: bool = True
    title: str = ""
    alternate: bool = False
    in_mode: bool = False
    solid: tuple[str, ...] = ()


class TitleSeen(Evidence):
    """The pane's title."""

    title: str


class Osc(Evidence):
    """An operating system command in the output: ``7501`` and ``state=working:app=codex``."""

    number: int
    text: str


class Bell(Evidence):
    """The program rang."""


class ModeChanged(Evidence):
    """A private mode that matters here was set or reset; 2004 is bracketed paste."""

    mode: int
    on: bool


class ForegroundSeen(Evidence):
    """Who is in the foreground of the agent's terminal: the command's name, and whether it is the agent itself."""

    command: str
    own: bool


class ChannelSaid(Evidence):
    """The agent said on its own channel what it is doing: `said` in the channel's words, for the kind's rules."""

    channel: str
    said: str
    detail: str = ""


class ChannelLost(Evidence):
    """The channel is down: what it said last counts no more."""

    channel: str
    why: str = ""


class HookSaid(Evidence):
    """A hook of the agent reported `event`, in the agent's own name for it."""

    event: str
    detail: str = ""


class PromptSeen(Evidence):
    """The agent asks something, as its channel, hook or screen tells it; None once that is over."""

    prompt: Prompt | None


class Exited(Evidence):
    """The process ended: with `status`, or by the signal of this name."""

    status: int | None = None
    signal: str | None = None


class State(Frozen):
    """What an agent is doing; `source` the evidence for it, `detail` the question, the time limit, the reason.

    `rule` is the place of the rule in the kind's file that says so; empty where no rule was needed.
    """

    state: AgentState
    detail: str = ""
    source: str = ""
    rule: str = ""
