"""What is said to tmux about sessions and windows, and the reading of its answers; no connection, no clock."""

import re
from collections.abc import Iterable, Mapping

from tmuxorc.tmux._format import escape
from tmuxorc.tmux._options import PLACEHOLDER, SESSION, TEAM, name_of, pack, unpack
from tmuxorc.tmux._quote import Argv
from tmuxorc.tmux._types import TeamSession

LIST_SESSIONS: Argv = (
    "list-sessions",
    "-F",
    " ".join(
        ("#{session_id} #{session_windows} #{session_attached}", f"#{{{name_of(SESSION)}}}", f"#{{{name_of(TEAM)}}}")
    )
    + " #{session_name}",
)

LIST_PLACEHOLDERS: Argv = (
    "list-windows",
    "-a",
    "-F",
    f"#{{session_id}} #{{window_id}} #{{{name_of(PLACEHOLDER)}}}",
)

LIST_LINKS: Argv = ("list-panes", "-a", "-F", "#{pane_id} #{session_id}")

CLIENT = "#{client_pid} #{client_control_mode} #{client_flags}"

_SESSION = re.compile(rb"(\$\d+) (\d+) (\d+) (\S*) (\S+) (.*)", re.DOTALL)
_LINK = re.compile(rb"(%\d+) (\$\d+)")
_CLIENT = re.compile(rb"(\d+) 1 (\S*)")


def parse_sessions(lines: Iterable[bytes], instance: str) -> dict[str, TeamSession]:
    """Our team sessions by id; nobody else's."""
    found: dict[str, TeamSession] = {}
    for match in map(_SESSION.fullmatch, lines):
        if match is None or unpack(match[4].decode(errors="replace")) != instance:
            continue
        found[match[1].decode()] = TeamSession(
            session_id=match[1].decode(),
            name=match[6].decode(errors="replace"),
            team=unpack(match[5].decode(errors="replace")),
            windows=int(match[2]),
            attached=int(match[3]),
        )
    return found


def parse_placeholders(lines: Iterable[bytes]) -> dict[str, str]:
    """The windows that only keep a session alive, by session."""
    words = (line.decode(errors="replace").split(" ") for line in lines)
    return {each[0]: each[1] for each in words if each[2:] == ["1"]}


def parse_links(lines: Iterable[bytes]) -> dict[str, set[str]]:
    """All panes of the server, and the sessions that show each."""
    links: dict[str, set[str]] = {}
    for match in map(_LINK.fullmatch, lines):
        if match is not None:
            links.setdefault(match[1].decode(), set()).add(match[2].decode())
    return links


def parse_control_clients(lines: Iterable[bytes]) -> tuple[int, ...]:
    """The processes of clients that attached as we do; a person's control client counts for its window's size."""
    found = (match for match in map(_CLIENT.fullmatch, lines) if match is not None)
    return tuple(int(match[1]) for match in found if b"ignore-size" in match[2].split(b","))


def session_name(team: str, attempt: int) -> str:
    """A name to try for the team's session; tmux allows neither colon nor dot."""
    plain = re.sub(r"[.:]", "_", team)
    return plain if attempt == 0 else f"{plain}-{attempt + 1}"


def new_session(name: str, size: tuple[int, int], options: Mapping[str, str], history_limit: int) -> list[Argv]:
    """A detached session with a placeholder window, tagged in the same breath.

    If the name is taken the first command fails and the others, which say the name, are not run.
    """
    columns, rows = size
    ours = {name_of(key): pack(value) for key, value in options.items()}
    theirs = {"destroy-unattached": "off", "default-size": f"{columns}x{rows}", "history-limit": str(history_limit)}
    shape = ("-s", escape(name), "-x", str(columns), "-y", str(rows))
    return [
        ("new-session", "-d", "-P", "-F", "#{session_id} #{window_id}", *shape, "--", "cat", "-"),
        *(("set-option", "-t", f"={name}:", *option) for option in {**ours, **theirs}.items()),
        ("set-option", "-w", "-t", f"={name}:", name_of(PLACEHOLDER), "1"),
    ]
