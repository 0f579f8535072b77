"""Screens of the demo agent and of plain terminals, made by hand."""

from tmuxorc.agents.evidence import ScreenSeen

RULE = "─" * 40


def composer(
    *text: str,
    footer: str = "? for help",
    transcript: tuple[str, ...] = (),
    at: float = 0.0,
    in_mode: bool = False,
    cursor: tuple[int, int] | None = None,
) -> ScreenSeen:
    """The demo agent with `text` in its composer, the cursor behind it."""
    rows = text or ("",)
    body = ["❯ " + rows[0], *("  " + row for row in rows[1:])]
    lines = (*transcript, RULE, *(row.rstrip() for row in body), RULE, "  " + footer)
    where = cursor or (len(body[-1]), len(transcript) + len(body))
    return ScreenSeen(at=at, lines=lines, cursor=where, in_mode=in_mode)


def dialog(*, at: float = 0.0, transcript: tuple[str, ...] = ()) -> ScreenSeen:
    """The demo agent asking."""
    text = (" Permission needed", " Run: rm -rf x", " ❯ 1. Yes", "   2. No", " Enter to approve · Esc to refuse")
    return ScreenSeen(at=at, lines=(*transcript, RULE, *text), cursor_visible=False)


def terminal(*lines: str, at: float = 0.0, in_mode: bool = False) -> ScreenSeen:
    """A plain terminal with the cursor behind the last line."""
    rows = lines or ("",)
    cursor = (len(rows[-1]), len(rows) - 1)
    return ScreenSeen(at=at, lines=tuple(row.rstrip() for row in rows), cursor=cursor, in_mode=in_mode)
