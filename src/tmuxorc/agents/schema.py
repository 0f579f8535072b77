"""The shape of a kind's file, as frozen data; `tmuxorc.agents.kinds` reads and checks it."""

from enum import Enum

from tmuxorc.model import AgentState, Frozen


class StateFrom(str, Enum):
    """What an agent's state is read from: its screen, its terminal's foreground process, or its mere process."""

    SCREEN = "screen"
    FOREGROUND = "foreground"
    PROCESS = "process"


class Region(str, Enum):
    """Where on the screen a rule looks; loose words anywhere mean nothing."""

    FOOTER = "footer"
    """Every line below the composer's frame; empty while no composer shows."""
    ABOVE = "above"
    """The three lines above the composer's frame."""
    LAST = "last"
    """The last line that is not blank."""
    TITLE = "title"
    """The title of the pane."""
    CURSOR = "cursor"
    """The line of the cursor."""
    TAIL = "tail"
    """The last lines that are not blank, twenty at most: where a dialog stands that takes the composer's place."""
    OSC = "osc"
    """What the program last told the terminal by OSC 7501, which no terminal shows."""
    CHANNEL = "channel"
    """What the program last said of its state on its own channel, in its words; nothing while that is down."""
    HOOK = "hook"
    """The last event that a hook of the program reported; a hook says nothing of many ends, so such rules come last."""


class Verify(str, Enum):
    """How a delivery is proved: by the composer's text, or only by the terminal's echo."""

    COMPOSER = "composer"
    ECHO = "echo"


class Placeholder(str, Enum):
    """How text in the composer that nobody typed is told from a draft."""

    NONE = "none"
    """There is none, or `Composer.empty` names it."""
    FAINT = "faint"
    """It is faint or grey; `Composer.empty` is matched against the line without it."""


class Frame(str, Enum):
    """When a message is given a first line that says who writes."""

    AGENTS = "agents"
    """When another agent sent it; a person's words stay as they are unless they would be misread."""
    NEVER = "never"


class Data(Frozen, forbid_unknown_fields=True):
    """Base of what kind files hold."""


class StateRule(Data):
    """One sort of evidence: a line of `region` that matches `match` means `state`.  The first rule that holds decides.

    Each pattern of `also` must be found in the region as well, none of `never` may be.  `composer` and `cursor` say
    whether those must show or must not.  `detail` is searched over the whole screen, last line first, for its group
    ``detail``; without it `match` may have that group.
    """

    state: AgentState
    region: Region
    match: str
    also: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    composer: bool | None = None
    cursor: bool | None = None
    detail: str = ""


class Composer(Data):
    """How the box for messages is drawn.

    It starts at the last line matching `first` whose line above matches `above`, and ends before the next line matching
    `end`; what `first` and `rest` match is cut off its lines.  `empty` matches the only line of an empty one, with the
    cursor in column `cursor_column` from 0; a `placeholder` does not count.  `collapsed` is what it shows instead of a
    big paste, matched against its text without blanks.  `entry_first` and `entry_rest` begin the lines of a message in
    the transcript above.  With `holds_cursor` it is one only while the cursor is in it, for messages in the transcript
    look the same; it may reach to the bottom of the screen, and blank rows at its end do not count; with `shows_cursor`
    the cursor must be visible too, for dialogs look the same and hide it.  An `open` one has nothing drawn below: it is
    the rows around a visible cursor that match `first` or `rest`, `end` is not looked at, and `cursor_column` is
    counted from the end of its line; where it is higher than the screen, its first rows are missing.  `tab` is what it
    shows for a tab, if that is not blanks.
    """

    first: str
    empty: str
    cursor_column: int
    end: str = ""
    open: bool = False
    holds_cursor: bool = False
    shows_cursor: bool = False
    tab: str = ""
    placeholder: Placeholder = Placeholder.NONE
    above: str = ""
    rest: str = ""
    collapsed: str = ""
    entry_first: str = ""
    entry_rest: str = ""


class Deliver(Data):
    """How a message is typed.

    `when`: the states in which it may be.  `pause_s` plus `pause_s_per_kib` a KiB lie between the text's appearance and
    the submit `key`; the text must appear in `shown_within_s`, and leave the composer in `taken_within_s`.
    `foreground`: only while the agent itself is in the foreground.  `prompt` must stand left of the cursor.  `queued`
    matches the footer of a busy agent that keeps the message for later.  A message that matches `special_first` or
    `special_last` would not be taken as text, and is framed.
    """

    when: tuple[AgentState, ...]
    verify: Verify
    key: str = "Enter"
    pause_s: float = 0.5
    pause_s_per_kib: float = 0.0
    shown_within_s: float = 5.0
    taken_within_s: float = 2.0
    foreground: bool = False
    prompt: str = ""
    queued: str = ""
    frame: Frame = Frame.NEVER
    special_first: str = ""
    special_last: str = ""


class StopStep(Data):
    """One step towards the end of an agent: keys or a signal to its process, then up to `wait_s` for it to exit.

    Without `wait_s` the step has what is left of the agent's own `shutdown_s`.
    """

    keys: tuple[str, ...] = ()
    signal: str = ""
    wait_s: float | None = None


class LaunchFile(Data):
    """A file written below the agent's private folder before it starts."""

    path: str
    content: str


class Launch(Data):
    """What is added to the program's own command so that it can be spoken to, none of it in the person's own files.

    `args` go behind the program's name, those of `resume` instead when there is a session to go on with.  `companion`
    is a process of ours that runs beside the agent for as long as it does; the agent is started once the file
    `companion_ready` is there.  `channel` names the code that speaks to it (`tmuxorc.channels`); with `peers_only` it
    takes messages from other agents alone, because the agent would not take them for a person's own words.
    With `by_pid` one that a person started by hand can be reached, too, by its process.  `root_only`: the program reads
    `files` only below directories that nobody but root can write; elsewhere it gets neither them nor `env`.

    In `args`, `resume`, `companion`, in `content` of `files` and in `env` stand for: ``{run}`` the agent's private
    folder, ``{program}`` the program's path, ``{session}`` the session to go on with, ``{port}`` a free port of the
    loopback interface, ``{password}`` a new secret, ``{hook}`` the command that reports to the supervisor (in
    `content`, as a JSON string without its quotes), ``{new}`` a new UUID, taken for the new session's name.
    """

    channel: str = ""
    peers_only: bool = False
    by_pid: bool = False
    root_only: bool = False
    args: tuple[str, ...] = ()
    resume: tuple[str, ...] = ()
    companion: tuple[str, ...] = ()
    companion_ready: str = ""
    files: tuple[LaunchFile, ...] = ()
    env: dict[str, str] = {}


class Prompts(Data):
    """How a permission prompt is read from the screen and answered by keys, where no channel does it.

    `question`, `command` and `option` are patterns for lines at the bottom of a screen without a composer: the options
    stand at or below the last question, and only lines that match `end` below them.  `command` has a group
    ``command``; of several lines in a row all count.  `option` has the groups ``key`` and ``label``, and may match more
    than once in a line.  `approve` and `deny` are patterns for the labels of the options meant.  With `cursor` the
    cursor must show, on the last of these lines.  `keys` are pressed for an option, ``{key}`` standing for its key.
    `decline` are the keys that turn it down, whatever the options are.
    """

    question: str
    option: str
    end: str = ""
    command: str = ""
    approve: str = ""
    deny: str = ""
    cursor: bool = False
    keys: tuple[str, ...] = ("{key}",)
    decline: tuple[str, ...] = ("Escape",)


class Env(Data):
    """Variables to set, and patterns (``MY_TOOL_*``) of variables to drop, beside the markers of `tmuxorc.nesting`."""

    set: dict[str, str] = {}
    unset: tuple[str, ...] = ()


class KindFile(Data, kw_only=True):
    """A kind as its file has it; the name is the file's.

    `seen_on` says in words what its rules were seen on, `versions` the program's versions they were proved on, and
    `version` the arguments that make it print its own.  `install` is the command that gets it.  `interrupt` are the
    keys that end a turn.
    """

    summary: str
    seen_on: str
    versions: tuple[str, ...] = ()
    version: tuple[str, ...] = ()
    install: str = ""
    state_from: StateFrom
    deliver: Deliver
    stop: tuple[StopStep, ...]
    command: tuple[str, ...] = ()
    ready_timeout_s: float = 60.0
    env: Env = Env()
    composer: Composer | None = None
    dialogs: tuple[str, ...] = ()
    states: tuple[StateRule, ...] = ()
    launch: Launch = Launch()
    prompts: Prompts | None = None
    interrupt: tuple[str, ...] = ()
