"""Screens where they do not belong: of another agent, in a pane far too small, printed as text by an agent."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.recordings import cast as casts
from tests.recordings.played import KINDS, PATHS, name_of, play
from tests.recordings.replay import Seen, replay
from tests.support import TmuxServer
from tmuxorc.agents import Detector, Kind
from tmuxorc.agents.evidence import ProcessStarted, ScreenSeen, TitleSeen
from tmuxorc.agents.frame import find_box, find_dialog, left_of_cursor
from tmuxorc.agents.prompts import read_prompt
from tmuxorc.model import AgentState

TINY = (10, 3)
UNDISTURBED = (AgentState.BUSY, AgentState.BLOCKED)
"""What must never be taken for idle."""

small = [path for path in PATHS if "80x24" in path.name]
every_recording = pytest.mark.parametrize("path", PATHS, ids=name_of)


def one_of_each(found: list[Seen]) -> list[Seen]:
    """The last of each state: a held one differs from the next in its spinner."""
    return list({seen.mark.state: seen for seen in found}.values())


def told(kind: Kind, screen: ScreenSeen) -> AgentState:
    """The state of an agent that shows this screen; every part of the reading is used."""
    detector = Detector(kind)
    detector.feed(ProcessStarted(at=0, adopted=True))
    detector.feed(screen)
    detector.feed(TitleSeen(at=screen.at + 1, title=screen.title))
    assert all(state.state in AgentState for state in detector.matches())
    find_box(kind.composer, screen)
    find_dialog(kind, screen)
    left_of_cursor(screen)
    read_prompt(kind, screen)
    return detector.state.state


@every_recording
async def test_no_screen_of_another_agent_is_too_much(path: Path, tmux_server: TmuxServer) -> None:
    """The last one of each state, read by all kinds, also torn out of its size."""
    _, found = await play(path, tmux_server)
    for seen in one_of_each(found):
        for kind in KINDS.values():
            assert told(kind, seen.screen) in AgentState
            assert told(kind, torn(seen.screen)) in AgentState


def torn(screen: ScreenSeen) -> ScreenSeen:
    """The upper left of it, with the cursor where it was."""
    lines = tuple(line[: TINY[0]] for line in screen.lines[: TINY[1]])
    solid = tuple(line[: TINY[0]] for line in screen.solid[: TINY[1]])
    return msgspec.structs.replace(screen, lines=lines, solid=solid)


@pytest.mark.parametrize("path", small, ids=name_of)
async def test_a_tiny_pane_is_never_taken_for_idle(path: Path, tmux_server: TmuxServer) -> None:
    """All that was drawn for a larger one, in 10x3."""
    cast = casts.read(path)
    events = [event for event in cast.events if event.code != "r"]
    found = await replay(dataclasses.replace(cast, size=TINY, events=events), KINDS[cast.kind], tmux_server)
    for number, seen in enumerate(found):
        if seen.mark.state in UNDISTURBED and not seen.mark.allows(AgentState.IDLE):
            assert seen.state.state is not AgentState.IDLE, f"marker {number}: {seen.mark}"


async def prompts(server: TmuxServer) -> list[tuple[str, ...]]:
    """The lines of one permission prompt of each agent, as wide as they come."""
    found: list[tuple[str, ...]] = []
    for path in PATHS:
        if "200x50" in path.name and ("permission" in path.name or "demo" in path.parent.name):
            _, played = await play(path, server)
            screen = next(seen.screen for seen in played if seen.mark.state is AgentState.BLOCKED)
            found.append(tuple(line for line in screen.lines if line.strip()))
    return found


def printed(kind: Kind, screen: ScreenSeen, text: tuple[str, ...]) -> Iterator[ScreenSeen]:
    """The screen with `text` in place of the transcript: all of it, and as the agent's own words, set in."""
    box = find_box(kind.composer, screen)
    room = box.top - 4 if box else 0
    if room < 1:
        return
    for lines in (text, tuple(f"  {line}" for line in text)):
        above = (*(("",) * room), *lines)[-room:]
        kept = screen.lines[room:]
        solid = (*above, *screen.solid[room:]) if screen.solid else ()
        yield msgspec.structs.replace(screen, lines=(*above, *kept), solid=solid)


@every_recording
async def test_a_prompt_that_is_only_printed_is_none(path: Path, tmux_server: TmuxServer) -> None:
    """Another agent's, or its own, above the composer: idle stays idle, and busy is not taken for idle."""
    cast, found = await play(path, tmux_server)
    kind = KINDS[cast.kind]
    for text in await prompts(tmux_server):
        for seen in one_of_each(found):
            before = told(kind, seen.screen)
            for screen in printed(kind, seen.screen, text):
                after = told(kind, screen)
                assert after in allowed(before), f"{seen.mark}: {after.value} with\n" + "\n".join(screen.lines)
                assert read_prompt(kind, screen) is None


def allowed(before: AgentState) -> tuple[AgentState, ...]:
    """What may be told once something is printed; a screen of which nothing was told proves nothing."""
    return tuple(AgentState) if before is AgentState.UNKNOWN else (before, AgentState.UNKNOWN)
