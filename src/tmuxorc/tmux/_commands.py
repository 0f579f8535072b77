"""The commands we give to tmux, as argument vectors, and the reading of their answers; no connection, no clock.

Targets are ids, never names.  Free text is always the last field of its line, alone on it, or preceded by its length.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from tmuxorc.tmux._errors import NoSuchTarget, TmuxRefused
from tmuxorc.tmux._format import escape
from tmuxorc.tmux._options import INSTANCE, PLACEHOLDER, TEAM, name_of, pack, unpack
from tmuxorc.tmux._protocol import Reply
from tmuxorc.tmux._quote import Argument, command_line
from tmuxorc.tmux._types import Capture, FoundPane, PaneInfo, PaneSpec, PaneStatus, TeamSession

Argv = tuple[Argument, ...]

SUBSCRIPTION = "tmuxorc"
SUBSCRIBED = "#{pane_dead} #{pane_in_mode} #{n:pane_current_command} #{pane_current_command} #{pane_title}"
CHUNK = 32 * 1024
"""Bytes of a paste in one command: few commands, and no line so long that tmux's reader slows down on it."""

_PANE_ID = re.compile(r"%\d+")
_CREATED = re.compile(rb"(%\d+) (@\d+) (\d+)")
_LISTED = re.compile(rb"(%\d+) (@\d+) (\$\d+) (\d+) ([01]) (\S*)")
_STATUS = re.compile(rb"([01]) (\d+) (\d*) (\w*)")
_SCREEN = re.compile(rb"(\d+) (\d+) ([01]) (\d+) (\d+) (\d+) (\d*) ([01]) ([01]?)")
_SESSION = re.compile(rb"(\$\d+) (\d+) (\d+) (\S*) (\S*) (.*)", re.DOTALL)


def is_pane_id(text: str) -> bool:
    """Whether `text` is a pane's id, ``%12``."""
    return _PANE_ID.fullmatch(text) is not None


# --- panes ----------------------------------------------------------------------------------------------------------


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


def create_pane(hub: str, session: str, spec: PaneSpec, instance: str, placeholder: str | None) -> list[Argv]:
    """One window with one pane, tagged and linked before its program can write a byte.

    The window is made in the hub and becomes the hub's current one, so the commands after it need no target; made
    detached, its id would not be known until a second batch, and a crash in between would leave a pane without owner.
    """
    return [
        ("new-window", "-P", "-F", PANE, "-t", f"{hub}:", *_birth(spec)),
        *(("set-option", "-p", *option) for option in _options(spec, instance).items()),
        *(("set-option", "-w", *option) for option in WINDOW_OPTIONS.items()),
        ("link-window", "-d", "-t", f"{session}:"),
        *([("kill-window", "-t", placeholder)] if placeholder is not None else []),
        ("display-message", "-p", "#{pane_id}"),
    ]


WINDOW_OPTIONS = {"automatic-rename": "off", "allow-rename": "off", "window-size": "latest"}


def respawn_pane(pane: str, spec: PaneSpec, instance: str) -> list[Argv]:
    """Another program in the same pane, in place of whatever is there."""
    return [
        ("respawn-pane", "-k", "-t", pane, *_environment(spec), "-c", escape(spec.cwd), "--", *program(spec)),
        *(("set-option", "-p", "-t", pane, *option) for option in _options(spec, instance).items()),
        ("display-message", "-p", "-t", pane, PANE),
    ]


PANE = "#{pane_id} #{window_id} #{pane_pid}"


def parse_named(pane: str, lines: Sequence[bytes]) -> PaneInfo:
    """The pane that `PANE` expanded for."""
    match = _CREATED.fullmatch(b"\n".join(lines))
    if match is None:
        raise NoSuchTarget(f"there is no pane {pane}", details={"pane": pane})
    return PaneInfo(pane_id=match[1].decode(), window_id=match[2].decode(), pid=int(match[3]))


def _birth(spec: PaneSpec) -> Argv:
    return ("-n", escape(spec.name), *_environment(spec), "-c", escape(spec.cwd), "--", *program(spec))


def _environment(spec: PaneSpec) -> Argv:
    return tuple(word for name, value in spec.env.items() for word in ("-e", f"{name}={value}"))


def _options(spec: PaneSpec, instance: str) -> dict[str, str]:
    ours = {name_of(key): pack(value) for key, value in {INSTANCE: instance, **spec.options}.items()}
    return {**ours, "remain-on-exit": "on"}


STATUS = "#{pane_dead} #{pane_pid} #{pane_dead_status} #{pane_dead_signal}"


def parse_status(pane: str, lines: Sequence[bytes]) -> PaneStatus:
    """What `STATUS` expanded to: a version without the signal's format leaves it empty, a pane that is gone all of it."""
    match = _STATUS.fullmatch(b"\n".join(lines))
    if match is None:
        raise NoSuchTarget(f"there is no pane {pane}", details={"pane": pane})
    return PaneStatus(
        dead=match[1] == b"1",
        pid=int(match[2]),
        status=int(match[3]) if match[3] else None,
        signal=_signal(match[4].decode()),
    )


def _signal(name: str) -> str | None:
    if not name or name == "0":
        return None
    if name.isdecimal():
        import signal

        known = {int(each): each.name for each in signal.Signals}
        return known.get(int(name), f"SIG{name}")
    return name if name.startswith("SIG") else f"SIG{name}"


def capture(pane: str, *, ansi: bool, history: int) -> list[Argv]:
    """A pane's state, title and cells."""
    numbers = "#{cursor_x} #{cursor_y} #{cursor_flag} #{pane_width} #{pane_height} #{history_size} #{pane_in_mode}"
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
        in_mode=match[7] not in (b"", b"0"),
        alternate_on=match[8] == b"1",
        dead=match[9] == b"1",
    )


LIST_PANES: Argv = (
    *("list-panes", "-a", "-F"),
    f"#{{pane_id}} #{{window_id}} #{{session_id}} #{{pane_pid}} #{{pane_dead}} #{{{name_of(INSTANCE)}}}",
)


def parse_panes(lines: Iterable[bytes], instance: str, hub: str) -> dict[str, FoundPane]:
    """Our panes by id, each once however often its window is linked; their other options are not known yet."""
    found: dict[str, FoundPane] = {}
    for match in map(_LISTED.fullmatch, lines):
        if match is None or unpack(match[6].decode(errors="replace")) != instance:
            continue
        pane, session = match[1].decode(), match[3].decode()
        before = found[pane].sessions if pane in found else ()
        found[pane] = FoundPane(
            pane_id=pane,
            window_id=match[2].decode(),
            pid=int(match[4]),
            dead=match[5] == b"1",
            sessions=before if session == hub else (*before, session),
            options={},
        )
    return found


LIST_ALL: Argv = ("list-panes", "-a", "-F", "#{pane_id} #{session_id}")


def parse_links(lines: Iterable[bytes], hub: str) -> dict[str, bool]:
    """All panes of the server, and whether a session other than the hub shows them."""
    links: dict[str, bool] = {}
    for line in lines:
        pane, _, session = line.decode(errors="replace").partition(" ")
        links[pane] = links.get(pane, False) or session != hub
    return links


LIST_PLACEHOLDERS: Argv = (
    *("list-windows", "-a", "-F"),
    f"#{{session_id}} #{{window_id}} #{{{name_of(PLACEHOLDER)}}}",
)


def parse_placeholders(lines: Iterable[bytes]) -> dict[str, str]:
    """The placeholder windows of our sessions, by session; the hub keeps its own for ever."""
    words = (line.decode(errors="replace").split(" ") for line in lines)
    return {each[0]: each[1] for each in words if each[2:] == ["1"]}


# --- sessions -------------------------------------------------------------------------------------------------------

LIST_SESSIONS: Argv = (
    *("list-sessions", "-F"),
    f"#{{session_id}} #{{session_windows}} #{{session_attached}} #{{{name_of(INSTANCE)}}} #{{{name_of(TEAM)}}} "
    "#{session_name}",
)


def parse_sessions(lines: Iterable[bytes], instance: str) -> dict[str, TeamSession]:
    """Our team sessions by id."""
    found: dict[str, TeamSession] = {}
    for match in map(_SESSION.fullmatch, lines):
        if match is None or unpack(match[4].decode(errors="replace")) != instance or not match[5]:
            continue
        found[match[1].decode()] = TeamSession(
            session_id=match[1].decode(),
            name=match[6].decode(errors="replace"),
            team=unpack(match[5].decode(errors="replace")),
            windows=int(match[2]),
            attached=int(match[3]),
        )
    return found


def session_name(team: str, attempt: int) -> str:
    """A name to try for the team's session; tmux allows neither colon nor dot."""
    plain = re.sub(r"[.:]", "_", team)
    return plain if attempt == 0 else f"{plain}-{attempt + 1}"


def new_session(name: str, size: tuple[int, int], options: Mapping[str, str], history_limit: int) -> list[Argv]:
    """A detached session with a placeholder window, tagged in the same breath.

    If the name is taken the first command fails and the others, which say the name, are not run.
    """
    columns, rows = size
    target = f"={name}:"
    return [
        (
            *("new-session", "-d", "-P", "-F", "#{session_id} #{window_id}"),
            *("-s", escape(name), "-x", str(columns), "-y", str(rows), "--", "cat", "-"),
        ),
        *(("set-option", "-t", target, name_of(key), pack(value)) for key, value in options.items()),
        ("set-option", "-t", target, "destroy-unattached", "off"),
        ("set-option", "-t", target, "default-size", f"{columns}x{rows}"),
        ("set-option", "-t", target, "history-limit", str(history_limit)),
        ("set-option", "-w", "-t", target, name_of(PLACEHOLDER), "1"),
    ]


# --- typing ---------------------------------------------------------------------------------------------------------

YES = "tmuxorc-yes"
NO = "tmuxorc-no"


def load_buffer(name: str, data: bytes) -> list[bytes]:
    """Lines that put `data` into the buffer `name`, piece by piece; no file, nothing for another user to read."""
    pieces = [data[at : at + CHUNK] for at in range(0, len(data), CHUNK)]
    return [command_line(("set-buffer", "-a", "-b", name, "--", piece)) for piece in pieces]


def gated(pane: str, gate: str, then: Sequence[Argv], otherwise: Sequence[Argv] = ()) -> bytes:
    """One line that does `then` and says `YES` if the format `gate` holds for the pane, else `otherwise` and `NO`."""
    from tmuxorc.tmux._quote import sequence

    yes = sequence([*then, ("display-message", "-p", YES)])
    no = sequence([*otherwise, ("display-message", "-p", NO)])
    return command_line(("if-shell", "-F", "-t", pane, gate, yes, no))
