"""tmux's format language: escaping text for it, and building the conditions under which a command may act.

A condition is a format that expands to ``1`` (or any text but empty and ``0``) when it holds.  tmux itself expands it
in the same breath as the command it guards, so nothing can change between the look and the act.
"""

from collections.abc import Iterable

from tmuxorc.tmux._options import name_of, pack

ALIVE = "#{?#{pane_dead},0,1}"
"""The pane's program has not exited."""

NOT_IN_MODE = "#{?#{pane_in_mode},0,1}"
"""The pane shows its program: no copy mode, no menu of tmux's own."""

NOT_ATTACHED = "#{?#{window_active_clients},0,1}"
"""No client, that is no person, looks at the pane's window right now."""


def escape(text: str) -> str:
    """`text` as a format that expands to itself; for arguments tmux expands, such as a window's name or a directory.

    Runs of ``#`` before ``[`` are styles to tmux, which leaves them alone.
    """
    pieces: list[str] = []
    at = 0
    while at < len(text):
        end = at
        while end < len(text) and text[end] == "#":
            end += 1
        run = end - at
        if run:
            pieces.append("#" * (run if text[end : end + 1] == "[" else 2 * run))
            at = end
        else:
            pieces.append(text[at])
            at += 1
    return "".join(pieces)


def literal(text: str) -> str:
    """`text` as one operand inside ``#{…}``, where commas and closing braces would end it."""
    return escape(text).replace(",", "#,").replace("}", "#}")


def every(conditions: Iterable[str]) -> str:
    """All of them hold; of none, true."""
    return _fold("&&", conditions, "1")


def some(conditions: Iterable[str]) -> str:
    """At least one of them holds; of none, false."""
    return _fold("||", conditions, "0")


def negate(condition: str) -> str:
    """The opposite; said with ``#{?…}`` because older versions have no ``#{!…}``."""
    return f"#{{?{condition},0,1}}"


def equals(format_: str, text: str) -> str:
    """The format, such as ``#{pane_pid}``, expands to exactly `text`."""
    return f"#{{==:{format_},{literal(text)}}}"


def option_is(key: str, value: str) -> str:
    """The pane's own option `key`, without its prefix, has this value."""
    return equals(f"#{{{name_of(key)}}}", pack(value))


def screen_matches(regex: str) -> str:
    """A line of the visible screen matches the POSIX extended regular expression; trailing blanks are not seen."""
    return f"#{{C/r:{literal(regex)}}}"


def _fold(operator: str, conditions: Iterable[str], empty: str) -> str:
    folded: str | None = None
    for condition in conditions:
        folded = condition if folded is None else f"#{{{operator}:{folded},{condition}}}"
    return empty if folded is None else folded
