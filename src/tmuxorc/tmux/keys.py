"""The names tmux has for keys.

tmux types a name it does not know as text, letter by letter: a mistyped ``Entr`` would be typed into the agent.  So a
key is checked here before it is sent.  Source: the KEYS section of tmux(1), 3.2 to 3.5.
"""

import re

from tmuxorc.errors import UsageError
from tmuxorc.names import nearest

_NAMED = (
    *(
        "Up",
        "Down",
        "Left",
        "Right",
        "BSpace",
        "BTab",
        "DC",
        "Delete",
        "End",
        "Enter",
        "Escape",
        "Home",
        "IC",
        "Insert",
    ),
    *("NPage", "PageDown", "PgDn", "PPage", "PageUp", "PgUp", "Space", "Tab"),
    *(f"F{n}" for n in range(1, 13)),
    *(f"KP{key}" for key in ("/", "*", "-", "+", ".", "Enter", *range(10))),
)
_BY_NAME = {name.lower(): name for name in _NAMED}
_MODIFIERS = re.compile(r"\^|(?:[CMScms]-)*")


class UnknownKeyError(UsageError):
    """No key has this name."""

    code = "unknown_key"


def check_key(key: str) -> str:
    """Return `key` as tmux knows it: a name or one character, behind modifiers (``C-``, ``M-``, ``S-``, ``^``).

    Raises `UnknownKeyError` that names the nearest.
    """
    if len(key) == 1 and key.isprintable():
        return key
    match = _MODIFIERS.match(key)
    modifiers = match.group() if match is not None else ""
    bare = key[len(modifiers) :]
    if len(bare) == 1 and bare.isprintable():
        return key
    if bare.lower() in _BY_NAME:
        return modifiers + _BY_NAME[bare.lower()]
    near = nearest(bare, _NAMED)
    hint = (
        f"did you mean {modifiers}{near}?"
        if near
        else "for text use --literal; keys are named as in tmux: Enter, C-c, Escape, F5"
    )
    raise UnknownKeyError(f"there is no key {key!a}", hint=hint, details={"key": ascii(key)})
