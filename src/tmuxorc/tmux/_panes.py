"""What is said to tmux about panes, as argument vectors, and the reading of its answers; no connection, no clock.

Targets are ids, never names.  Free text is alone on its line, last on it, or preceded by its length.
"""

import re
import signal
from collections.abc import Iterable, Sequence

from tmuxorc.tmux._errors import NoSuchTarget, TmuxRefused
from tmuxorc.tmux._format import escape
from tmuxorc.tmux._options import INSTANCE, OF_SESSIONS, name_of, pack, unpack
from tmuxorc.tmux._protocol import Reply
from tmuxorc.tmux._quote import Argv, command_line, sequence
from tmuxorc.tmux._types import Capture, FoundPane, PaneInfo, PaneSpec, PaneStatus

PANE = "#{pane_id} #{window_id} #{pane_pid}"
STATUS = "#{pane_id} #{pane_dead} #{pane_pid} #{pane_dead_status} #{pane_dead_signal}"
YES = b"tmuxorc-yes"
NO = b"tmuxorc-no"

CHUNK = 32 * 1024
"""Bytes of a paste in one command: few commands, and no line so long that tmux's reader slows down on it."""

WINDOW_OPTIONS = {"automatic-rename": "off", "allow-rename": "off", "window-size": "latest"}

LIST_PANES: Argv = (
    "list-panes",
    "-a",
    "-F",
    f"#{{pane_id}} #{{window_id}} #{{session_id}} #{{pane_pid}} #{{pane_dead}} #{{{name_of(INSTANCE)}}}",
)

_PANE_ID = re.compile(r"%\d+")
_NAMED = re.compile(rb"(%\d+) (@\d+) (-?\d*)")
_LISTED = re.compile(rb"(%\d+) (@\d+) (\$\d+) (-?\d*) ([01]) (.*)")
_STATUS = re.compile(rb"%\d+ ([01]) (-?\d*) (\d*) (\w*)")
_SCREEN = re.compile(rb"(\d+) (\d+) ([01]) (\d+) (\d+) (\d*) ([01]) ([01])")
_SIGNALS = {str(int(each)): each.name for each in signal.Signals}


def is_pane_id(text: str) -> bool:
    """Whether `text` is a pane's id, ``%12``."""
    return _PANE_ID.fullmatch(text) is not None


def program(spec: PaneSpec) -> tuple[str, ...]:
    """`spec.argv` so that tmux and ``env`` exec it as it stands.

    tmux hands a command of one word to ``sh -c``, and ``env`` takes a program with ``=`` in its name for a variable:
    there a shell stands in front, which puts itself in the program's place and reads none of its words.
    """
    prefix = [word for variable in spec.unset for word in ("-u", variable)]
    argv = spec.argv
    if "=" in argv[0]:
        argv = ("sh", "-c", 'exec "$0" "$@"', *argv)
    if prefix or len(argv) == 1:
        return ("env", *prefix, *argv)
    return argv


def create(hub: str, session: str, spec: PaneSpec, instance: str, placeholder: str | None) -> list[Argv]:
    """One window with one pane, tagged and linked before its program can write a byte.

    The window is made in the hub and becomes the hub's current one, so the commands after it need no target; made
    detached, its id would not be known until a second batch, and a crash in between would leave a pane without owner.
    """
    return [
        ("new-window", "-P", "-F", PANE, "-t", f"{hub}:", "-n", escape(spec.name), *_start(spec)),
        *(("set-option", "-p", *option) for option in pane_options(spec.options, instance)),
        *(("set-option", "-w", *option) for option in WINDOW_OPTIONS.items()),
        ("link-window", "-d", "-t", f"{session}:"),
        *([("kill-window", "-t", placeholder)] if placeholder is not None else []),
    ]


def create_hidden(hub: str, spec: PaneSpec, instance: str) -> list[Argv]:
    """As `create`, shown in no session but the hub: for a program that nobody looks at.  The pane ends with it."""
    return [*create(hub, hub, spec, instance, None)[:-1], ("set-option", "-p", "remain-on-exit", "off")]


def respawn(pane: str, spec: PaneSpec, instance: str) -> list[Argv]:
    """Another program in the same pane, in place of whatever is there.

    Up to 3.5a at least, tmux keeps a control client's place in the old program's output; if that had not all been sent
    the new program's output is lost, or the whole server ends with "not enough data".  Pausing drops what is unsent and
    going on takes the place anew.
    """
    return [
        ("refresh-client", "-A", f"{pane}:pause"),
        ("refresh-client", "-A", f"{pane}:continue"),
        ("respawn-pane", "-k", "-t", pane, *_start(spec)),
        *(("set-option", "-p", "-t", pane, *option) for option in pane_options(spec.options, instance)),
        ("display-message", "-p", "-t", pane, PANE),
    ]


def pane_options(options: dict[str, str], instance: str) -> list[tuple[str, str]]:
    """Our options and tmux's own that every pane of ours carries, by their full names."""
    if taken := OF_SESSIONS & options.keys():
        raise ValueError(f"not for panes: {taken}")
    ours = [(name_of(key), pack(value)) for key, value in {INSTANCE: instance, **options}.items()]
    return [*ours, ("remain-on-exit", "on")]


def _start(spec: PaneSpec) -> Argv:
    variables = [word for name, value in spec.env.items() for word in ("-e", f"{name}={value}")]
    return (*variables, "-c", escape(spec.cwd), "--", *program(spec))


def parse_named(pane: str, lines: Sequence[bytes]) -> PaneInfo:
    """The pane that `PANE` expanded for."""
    match = _NAMED.fullmatch(b"\n".join(lines))
    if match is None:
        raise NoSuchTarget(f"there is no pane {pane}", details={"pane": pane})
    return PaneInfo(pane_id=match[1].decode(), window_id=match[2].decode(), pid=_pid(match[3]))


def _pid(field: bytes) -> int:
    """0 for a process that has been reaped: newer versions tell no pid then."""
    return max(0, int(field or b"0"))


def parse_status(pane: str, lines: Sequence[bytes]) -> PaneStatus:
    """What `STATUS` expanded to; a version that knows no signals leaves them empty."""
    match = _STATUS.fullmatch(b"\n".join(lines))
    if match is None:
        raise NoSuchTarget(f"there is no pane {pane}", details={"pane": pane})
    return PaneStatus(
        dead=match[1] == b"1",
        pid=_pid(match[2]),
        status=int(match[3]) if match[3] else None,
        signal=_signal(match[4].decode()),
    )


def _signal(name: str) -> str | None:
    if name in ("", "0"):
        return None
    known = _SIGNALS.get(name, name)
    return known if known.startswith("SIG") else f"SIG{known}"


def parse_panes(lines: Iterable[bytes], instance: str) -> dict[str, FoundPane]:
    """Our panes by id, each once however often its window is linked; their other options are not known yet."""
    found: dict[str, FoundPane] = {}
    for match in map(_LISTED.fullmatch, lines):
        if match is None or unpack(match[6].decode(errors="replace")) != instance:
            continue
        pane = match[1].decode()
        before = found[pane].sessions if pane in found else ()
        found[pane] = FoundPane(
            pane_id=pane,
            window_id=match[2].decode(),
            pid=_pid(match[4]),
            dead=match[5] == b"1",
            sessions=(*before, match[3].decode()),
            options={},
        )
    return found


def capture(pane: str, *, ansi: bool, history: int) -> list[Argv]:
    """A pane's state, title and cells."""
    numbers = "#{cursor_x} #{cursor_y} #{cursor_flag} #{pane_width} #{pane_height} #{pane_in_mode}"
    escapes = ("-e",) if ansi else ()
    start = ("-S", f"-{history}") if history else ()
    return [
        ("display-message", "-p", "-t", pane, f"{numbers} #{{alternate_on}} #{{pane_dead}}"),
        ("display-message", "-p", "-t", pane, "#{pane_title}"),
        ("capture-pane", "-p", "-t", pane, *escapes, *start),
    ]


def parse_capture(numbers: Reply, title: Reply, cells: Reply) -> Capture:
    """The answers to `capture`."""
    match = _SCREEN.fullmatch(b"\n".join(numbers.lines))
    if match is None:
        raise TmuxRefused(f"tmux did not say how the screen stands: {numbers.lines!r}")
    rows = int(match[5])
    lines = tuple(line.decode(errors="replace") for line in cells.lines)
    return Capture(
        lines=lines,
        history_lines=max(0, len(lines) - rows),
        cursor=(int(match[1]), int(match[2])),
        cursor_visible=match[3] == b"1",
        columns=int(match[4]),
        rows=rows,
        title=b"\n".join(title.lines).decode(errors="replace"),
        in_mode=match[6] not in (b"", b"0"),
        alternate_on=match[7] == b"1",
        dead=match[8] == b"1",
    )


def load_buffer(name: str, data: bytes) -> list[bytes]:
    """Lines that put `data` into the buffer `name`, piece by piece; no file for anyone else to read."""
    pieces = [data[at : at + CHUNK] for at in range(0, len(data), CHUNK)]
    return [command_line(("set-buffer", "-a", "-b", name, "--", piece)) for piece in pieces]


def gated(pane: str, gate: str, then: Sequence[Argv], otherwise: Sequence[Argv] = ()) -> bytes:
    """One line that does `then` and says `YES` if the format `gate` holds for the pane, else `otherwise` and `NO`."""
    yes = sequence([*then, ("display-message", "-p", YES)])
    no = sequence([*otherwise, ("display-message", "-p", NO)])
    return command_line(("if-shell", "-F", "-t", pane, gate, yes, no))
