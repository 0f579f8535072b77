"""Our own options on panes, windows and sessions: how they are named, and values that no listing can garble.

Values are packed as ``%XX`` outside a small alphabet, so that one can stand in any line of any answer.
"""

import re
from urllib.parse import quote as _percent
from urllib.parse import unquote as _unpercent

PREFIX = "@tmuxorc_"
SAFE = "/:@=+,"

INSTANCE = "instance"
DELIVERY = "delivery"

# On sessions and windows.  A format looks for an option on the pane, then its window, then its session: were a session
# tagged like a pane, every pane a person opens in it would look like ours.
SESSION = "session"
TEAM = "team"
HUB = "hub"
PLACEHOLDER = "placeholder"
OF_SESSIONS = frozenset((SESSION, TEAM, HUB, PLACEHOLDER))

_KEY = re.compile(r"[a-z][a-z0-9_]*")
_SHOWN = re.compile(rb'@tmuxorc_([a-z0-9_]+) "?([A-Za-z0-9_.~/:@=+,%-]*)"?')


def name_of(key: str) -> str:
    """``agent`` → ``@tmuxorc_agent``."""
    if not _KEY.fullmatch(key):
        raise ValueError(f"not an option key: {key!r}")
    return PREFIX + key


def pack(value: str) -> str:
    """`value` in the safe alphabet."""
    return _percent(value, safe=SAFE, errors="surrogatepass")


def unpack(packed: str) -> str:
    """The value `pack` was given."""
    return _unpercent(packed, errors="surrogatepass")


def parse_shown(lines: tuple[bytes, ...]) -> dict[str, str]:
    """Our options out of what ``show-options`` printed, by key; lines of anybody else's are passed over."""
    found = (_SHOWN.fullmatch(line) for line in lines)
    return {match[1].decode(): unpack(match[2].decode()) for match in found if match is not None}
