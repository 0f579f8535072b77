"""What the rules of a kind make of one screen, so that anyone can check a rule or report a repaint; no supervisor."""

import re
import sys
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from tmuxorc.cli import _complete, _read
from tmuxorc.cli._app import App
from tmuxorc.cli._declare import Arg, Opt, command
from tmuxorc.errors import UsageError
from tmuxorc.model import AgentState, Frozen

if TYPE_CHECKING:
    from tmuxorc.agents.cells import Cells
    from tmuxorc.agents.detect import Detector
    from tmuxorc.agents.evidence import Evidence

YesNo = Literal["yes", "no"]

LONGEST = 4_000_000
"""Characters of a screen at most; the largest that tmux makes are far smaller."""

_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1a\x1c-\x1f\x7f]")
"""What no screen holds; ESC and the tab are left, the lines are parted before."""


class RuleFound(Frozen):
    """A rule that holds: its place in the kind's file, where it looks and for what, and what it says."""

    rule: str
    source: str
    match: str
    state: AgentState
    details: str


class Detected(Frozen):
    """The state, by the first of the rules in `evidence`; `rule` is empty where no rule was needed or none holds."""

    kind: str
    state: AgentState
    details: str
    rule: str
    evidence: tuple[RuleFound, ...]


def _size(text: str) -> str:
    _pair(text, "x", "200x50")
    return text


def _cursor(text: str) -> str:
    _pair(text, ",", "2,47")
    return text


def _pair(text: str, between: str, example: str) -> tuple[int, int]:
    """Two numbers; raises ValueError."""
    found = re.fullmatch(rf"(\d{{1,5}}){between}(\d{{1,5}})", text, re.ASCII)
    if found is None:
        raise ValueError(f"{text!a} is not like {example}")
    return int(found[1]), int(found[2])


@command(
    "tmux-orc screen alice | tmux-orc detect --kind demo",
    "tmux capture-pane -p -e -t %3 | tmux-orc detect --kind demo --size 80x24 --cursor 2,21 --json",
)
async def detect(
    app: App,
    screen: Annotated[
        str | None,
        Arg(
            metavar="[FILE]",
            read=_read.file_or_stdin,
            help="The screen, as from capture-pane -p, with -e or without; else standard input.",
            complete="file",
        ),
    ] = None,
    *,
    kind: Annotated[str, Opt("--kind", "-k", metavar="KIND", help="Whose screen it is.", complete=_complete.kinds)],
    title: Annotated[str, Opt("--title", metavar="TEXT", help="The pane's title.")] = "",
    cursor: Annotated[
        str | None, Opt("--cursor", metavar="X,Y", read=_cursor, help="Column and row of the cursor, from 0.")
    ] = None,
    cursor_visible: Annotated[
        YesNo, Opt("--cursor-visible", metavar="yes|no", help="Whether the cursor shows.")
    ] = "yes",
    size: Annotated[
        str | None, Opt("--size", metavar="WxH", read=_size, help="Columns and rows of the pane; checks the screen.")
    ] = None,
    alternate: Annotated[
        YesNo, Opt("--alternate", metavar="yes|no", help="Whether it is the alternate screen.")
    ] = "no",
    channel: Annotated[
        str | None, Opt("--channel", metavar="WORDS", help="What the agent's own channel said last.")
    ] = None,
    hook: Annotated[str | None, Opt("--hook", metavar="EVENT", help="The last event that a hook reported.")] = None,
    osc: Annotated[
        str | None, Opt("--osc", metavar="TEXT", help="What it told the terminal by OSC 7501: state=working.")
    ] = None,
) -> Detected:
    """Say what state a screen means, and by which rules.

    All rules of the kind that hold are listed; the first decides. A screen that no rule knows is 'unknown'.
    """
    from tmuxorc.agents.detect import STATE_OSC, Detector
    from tmuxorc.agents.evidence import ChannelSaid, HookSaid, Osc, ProcessStarted, ScreenSeen
    from tmuxorc.agents.kinds import find_kind, load_kinds

    found = find_kind(load_kinds(app.paths.kinds_dir), kind)
    place = (0, 0) if cursor is None else _pair(cursor, ",", "2,47")
    cells = read_screen(_stdin() if screen is None else screen, coloured=found.coloured)
    seen = ScreenSeen(
        at=1,
        lines=_fitted(cells.lines, size, place),
        solid=_fitted(cells.solid, size, place) if cells.solid else (),
        cursor=place,
        cursor_visible=cursor_visible == "yes",
        title=title,
        alternate=alternate == "yes",
    )
    said: tuple[Evidence | None, ...] = (
        ProcessStarted(at=0, adopted=True),
        None if channel is None else ChannelSaid(at=1, channel=found.launch.channel, said=channel),
        None if hook is None else HookSaid(at=1, event=hook),
        None if osc is None else Osc(at=1, number=STATE_OSC, text=osc),
        seen,
    )
    detector = Detector(found)
    for evidence in said:
        if evidence is not None:
            detector.feed(evidence)
    return _detected(found.name, [rule.match for rule in found.states], detector)


def _detected(kind: str, patterns: list[str], detector: "Detector") -> Detected:
    state = detector.state
    evidence = tuple(
        RuleFound(
            rule=held.rule,
            source=held.source,
            match=patterns[int(held.rule[len("states[") : -1])],
            state=held.state,
            details=held.detail,
        )
        for held in detector.matches()
    )
    return Detected(kind=kind, state=state.state, details=state.detail, rule=state.rule, evidence=evidence)


def _stdin() -> str:
    """Standard input as the supervisor would read it from tmux: what is not UTF-8 is replaced."""
    if sys.stdin.isatty():
        raise UsageError("no screen was given", hint="tmux capture-pane -p -e -t %3 | tmux-orc detect --kind KIND")
    return sys.stdin.buffer.read(4 * LONGEST).decode(errors="replace")


def read_screen(screen: str, *, coloured: bool) -> "Cells":
    """The lines of a screen without escape sequences and without blanks at their ends, as tmux gives them unstyled.

    With `coloured` what is faint or grey is told from the rest, if the screen came with colours.
    """
    from tmuxorc.agents.cells import read_cells

    if len(screen) > LONGEST:
        raise UsageError("that is too long for a screen", hint="give the visible part only: capture-pane without -S")
    text = screen.removesuffix("\n")
    lines = [_CONTROLS.sub("", line) for line in text.split("\n")] if text else []
    cells = read_cells(lines, coloured=True)
    return cells if coloured and "\x1b" in screen else msgspec.structs.replace(cells, solid=())


def _fitted(lines: tuple[str, ...], size: str | None, cursor: tuple[int, int]) -> tuple[str, ...]:
    """As many lines as the pane has rows, or at least as the cursor needs.  Raises `UsageError` if something is off."""
    if size is None:
        return lines + ("",) * (cursor[1] + 1 - len(lines))
    columns, rows = _pair(size, "x", "200x50")
    if cursor[0] > columns or cursor[1] >= rows:
        raise UsageError(f"the cursor {cursor[0]},{cursor[1]} is outside of {size}", hint="X,Y count from 0,0")
    if len(lines) > rows:
        hint = "give the visible part only: capture-pane without -S, or drop --size"
        raise UsageError(f"the screen has {len(lines)} lines, more than {size}", hint=hint)
    return lines + ("",) * (rows - len(lines))
