"""The rule for names, and addresses made of them.

On the path of every short command, so it imports nothing that is not loaded already.
"""

from collections.abc import Iterable

from tmuxorc.errors import UsageError
from tmuxorc.model import Frozen

MAX_NAME = 64
NAME_RULE = f"1 to {MAX_NAME} characters: ASCII letters, digits, '_', '.' and '-', starting with a letter or a digit"

_EDGE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
_INNER = _EDGE | frozenset("_.-")


class BadNameError(UsageError):
    """A name or address that breaks the rule; says what is wrong with it, the hint is the rule."""

    code = "bad_name"


def check_name(name: str, what: str = "agent") -> str:
    """Return `name` if it may name a `what` (``agent``, ``team``, ``instance``); raise `BadNameError` if not."""
    problem = _problem(name)
    if problem:
        raise BadNameError(
            f"bad {what} name {_shown(name)}: {problem}", hint=f"a name is {NAME_RULE}", details={"name": _plain(name)}
        )
    return name


class Address(Frozen):
    """Whom something is for: `team` None is any team, `name` None is every agent of it.

    A bare name has a name only: it stands for the one agent so called, whatever its team.
    """

    team: str | None = None
    name: str | None = None

    @property
    def many(self) -> bool:
        """Whether it means a whole team, or everyone."""
        return self.name is None

    def __str__(self) -> str:
        if self.team is None:
            return self.name or "*"
        return f"{self.team}/{self.name or '*'}"


def parse_address(text: str) -> Address:
    """Parse ``name``, ``team/name``, ``team/*`` or ``*``; raises `BadNameError`."""
    if text == "*":
        return Address()
    team, slash, name = text.partition("/")
    if not slash:
        return Address(name=check_name(text))
    return Address(team=check_name(team, "team"), name=None if name == "*" else check_name(name))


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """The choice a mistyped `word` was most likely meant to be, or None if none is close."""
    from difflib import get_close_matches  # only needed on the way to an error

    return next(iter(get_close_matches(word, list(choices), n=1, cutoff=0.6)), None)


def _problem(name: str) -> str:
    if not name:
        return "it is empty"
    if len(name) > MAX_NAME:
        return f"it has {len(name)} characters, at most {MAX_NAME} are allowed"
    if name[0] not in _EDGE:
        return f"it starts with {name[0]!a}"
    wrong = next((letter for letter in name if letter not in _INNER), "")
    return f"it contains {wrong!a}" if wrong else ""


def _plain(name: str) -> str:
    """The name as text any terminal and any JSON encoder can take."""
    return name[: MAX_NAME + 1].encode("ascii", "backslashreplace").decode()


def _shown(name: str) -> str:
    shown = ascii(name[:MAX_NAME])
    return f"{shown}…" if len(name) > MAX_NAME else shown
