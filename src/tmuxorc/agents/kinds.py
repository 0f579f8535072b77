r"""The kinds of agents: frozen data decoded from TOML files, those that come with the program and a person's own.

A new agent program is a new file in `kinds/`.  Patterns are regular expressions for one screen line without its
trailing blanks.  Those that tmux itself must check in the same breath as a key (`dialogs`, `composer.empty`,
`composer.first`) are POSIX extended and Python at once: no ``\d``, no look-around, no ``(?…)``.
"""

import os
import re
import sys
from collections.abc import Iterable, Mapping
from enum import Enum
from fnmatch import fnmatchcase

import msgspec

from tmuxorc.errors import ConfigError, NotFoundError
from tmuxorc.model import AgentState, Frozen
from tmuxorc.names import nearest
from tmuxorc.nesting import is_marker
from tmuxorc.toml import read_toml


class UnknownKindError(NotFoundError):
    """No kind has this name."""

    code = "unknown_kind"


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
    OSC = "osc"
    """What the program last told the terminal by OSC 7501, which no terminal shows."""


class Verify(str, Enum):
    """How a delivery is proved: by the composer's text, or only by the terminal's echo."""

    COMPOSER = "composer"
    ECHO = "echo"


class Frame(str, Enum):
    """When a message is given a first line that says who writes."""

    AGENTS = "agents"
    """When another agent sent it; a person's words stay as they are unless they would be misread."""
    NEVER = "never"


class Data(Frozen, forbid_unknown_fields=True):
    """Base of what kind files hold."""


class StateRule(Data):
    """One line of evidence: `match` in `region` means `state`.

    `detail` is searched over the whole screen, last line first, for its group ``detail``; without it `match` may have
    that group.
    """

    state: AgentState
    region: Region
    match: str
    detail: str = ""


class Composer(Data):
    """How the box for messages is drawn.

    It starts at the last line matching `first` whose line above matches `above`, and ends before the next line matching
    `end`; what `first` and `rest` match is cut off its lines.  `empty` matches the only line of an empty one, with the
    cursor in column `cursor_column` from 0.  `collapsed` is what it shows instead of a big paste, matched against its
    text without blanks.  `entry_first` and `entry_rest` begin the lines of a message in the transcript above.
    """

    first: str
    empty: str
    end: str
    cursor_column: int
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


class Env(Data):
    """Variables to set, and patterns (``MY_TOOL_*``) of variables to drop, beside the markers of `tmuxorc.nesting`."""

    set: dict[str, str] = {}
    unset: tuple[str, ...] = ()


class KindFile(Data):
    """A kind as its file has it; the name is the file's."""

    summary: str
    seen_on: str
    state_from: StateFrom
    deliver: Deliver
    stop: tuple[StopStep, ...]
    command: tuple[str, ...] = ()
    ready_timeout_s: float = 60.0
    env: Env = Env()
    composer: Composer | None = None
    dialogs: tuple[str, ...] = ()
    states: tuple[StateRule, ...] = ()


class Kind(KindFile, kw_only=True):
    """One kind of agent.  `seen_on` names the version of the program that its rules were seen on."""

    name: str

    def argv(self, environ: Mapping[str, str]) -> tuple[str, ...]:
        """The kind's own command, ``{python}`` and ``{shell}`` filled in; empty if it has none."""
        shell = environ.get("SHELL", "")
        places = {"{python}": sys.executable, "{shell}": shell if os.path.isabs(shell) else "/bin/sh"}
        return tuple(places.get(word, word) for word in self.command)

    def unset_in(self, names: Iterable[str]) -> tuple[str, ...]:
        """Which of the environment's variables `names` an agent of this kind must not inherit, sorted."""
        return tuple(sorted(name for name in names if is_marker(name) or self._drops(name)))

    def _drops(self, name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in self.env.unset)


_OWN = os.path.join(os.path.dirname(__file__), "kinds")


def load_kinds(extra_dir: str | None = None) -> dict[str, Kind]:
    """Every kind by name; those in `extra_dir`, if it exists, are added and win.  Raises `ConfigError`."""
    return {path_name[1]: _load(*path_name) for path_name in (*_files(_OWN), *_files(extra_dir))}


def kind_names(extra_dir: str | None = None) -> list[str]:
    """The names of the kinds `load_kinds` would load, without reading them."""
    return sorted({name for _, name in (*_files(_OWN), *_files(extra_dir))})


def find_kind(kinds: Mapping[str, Kind], name: str) -> Kind:
    """The kind called `name`; raises `UnknownKindError` that names the nearest."""
    if name in kinds:
        return kinds[name]
    near = nearest(name, kinds)
    hint = f"did you mean '{near}'?" if near else f"known kinds: {', '.join(sorted(kinds))}"
    raise UnknownKindError(f"unknown kind {name!a}", hint=hint, details={"kind": ascii(name), "nearest": near})


def _files(folder: str | None) -> list[tuple[str, str]]:
    if folder is None or not os.path.isdir(folder):
        return []
    names = sorted(name for name in os.listdir(folder) if name.endswith(".toml"))
    return [(os.path.join(folder, name), name.removesuffix(".toml")) for name in names]


def _load(path: str, name: str) -> Kind:
    file = read_toml(path, KindFile)
    _check(path, file)
    return Kind(name=name, **msgspec.structs.asdict(file))


def _check(path: str, file: KindFile) -> None:
    for key, pattern in _patterns(file):
        try:
            re.compile(pattern)
        except re.error as error:
            raise _error(path, key, f"not a regular expression: {error}") from error
    if file.deliver.verify is Verify.COMPOSER and file.composer is None:
        raise _error(path, "composer", "deliver.verify is 'composer', so this table is needed")


def _error(path: str, key: str, problem: str) -> ConfigError:
    return ConfigError(f"{path}: {key}: {problem}", details={"file": path, "key": key})


def _patterns(file: KindFile) -> Iterable[tuple[str, str]]:
    for index, rule in enumerate(file.states):
        yield f"states[{index}].match", rule.match
        yield f"states[{index}].detail", rule.detail
    for index, dialog in enumerate(file.dialogs):
        yield f"dialogs[{index}]", dialog
    for table, key in ((file.composer, "composer"), (file.deliver, "deliver")):
        for name, value in (msgspec.structs.asdict(table) if table else {}).items():
            if isinstance(value, str) and name != "key":
                yield f"{key}.{name}", value
