"""Recordings as files, and the recorder itself, proved on the demo agent."""

import dataclasses
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.recordings import cast as casts
from tests.recordings.cast import Cast, Event, Mark
from tests.recordings.compare import changes, differences, previous
from tests.recordings.record import record
from tests.recordings.replay import Seen, replay
from tests.recordings.scenario import SCENARIOS, Scenario, Step, load, size_of
from tests.support import Home, TmuxServer
from tmuxorc.agents import load_kinds
from tmuxorc.agents.evidence import ScreenSeen, State
from tmuxorc.agents.schema import Region, StateRule
from tmuxorc.model import AgentState

IDLE, BUSY, BLOCKED = AgentState.IDLE, AgentState.BUSY, AgentState.BLOCKED
DEMO = load_kinds()["demo"]

events = st.builds(
    Event,
    st.floats(0, 1000).map(lambda at: round(at, 3)),
    st.sampled_from("omr"),
    st.text(st.characters(codec="utf-8")),
)


@given(st.lists(events))
def test_a_recording_is_read_as_it_was_written(found: list[Event]) -> None:
    cast = Cast("demo", "1.0", "day", (80, 24), found)
    assert casts.parse(casts.dump(cast)) == cast


def test_any_player_can_show_one() -> None:
    """The first line is asciicast's header, version 2."""
    head = casts.dump(Cast("demo", "1.0", "day", (80, 24))).decode().splitlines()[0]
    assert '"version": 2, "width": 80, "height": 24' in head


def test_a_big_one_is_compressed_and_takes_the_place_of_the_small(tmp_path: Path) -> None:
    cast = Cast("demo", "1.0", "day", (80, 24), [Event(0.0, "o", "x")])
    small = casts.write(cast, tmp_path)
    assert small.suffix == ".cast"
    cast.events.append(Event(1.0, "o", "y" * casts.ZIPPED_FROM))
    big = casts.write(cast, tmp_path)
    assert casts.paths(folder=tmp_path) == [big]
    assert casts.read(big) == cast
    assert big.stat().st_size < 1000


@pytest.mark.parametrize("mark", [Mark(IDLE), Mark(BLOCKED, "rm -rf build"), Mark(BUSY, "", (AgentState.LIMITED,))])
def test_a_marker_is_read_as_it_was_written(mark: Mark) -> None:
    assert Mark.parse(str(mark)) == mark
    assert mark.allows(mark.state)


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_scenario_can_be_read(path: Path) -> None:
    """And has markers, or its recording would prove nothing."""
    for scenario in load(path.stem).scenario:
        assert any(step.mark for step in scenario.steps), scenario.name
        assert all(map(size_of, scenario.sizes))


STEPS = (
    Step(wait="^❯"),
    Step(mark=IDLE),
    Step(send="ask touch made", wait="Enter to approve"),
    Step(mark=BLOCKED, detail="touch made"),
    Step(resize="30x8", wait="Enter to approve"),
    Step(quiet_s=0.2, mark=BLOCKED),
    Step(keys=("Enter",), wait="ran: touch made"),
    Step(send="exit 3", end=True),
    Step(mark=AgentState.FAILED, detail="exit status 3"),
)


async def recorded(home: Home, monkeypatch: pytest.MonkeyPatch, *steps: Step) -> Cast:
    """The demo agent, recorded below the test's own home."""
    monkeypatch.setattr("tempfile.tempdir", str(home.root))
    return await record("demo", "1.0", Scenario(name="day", steps=steps), (), "60x20")


async def test_what_is_recorded_is_told_when_it_is_played(
    home: Home, tmux_server: TmuxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Markers, a resize and the end among them."""
    cast = await recorded(home, monkeypatch, *STEPS)
    found = await replay(cast, DEMO, tmux_server)
    assert [seen.state.state for seen in found] == [mark.state for mark in cast.marks]
    assert len(found[1].screen.lines) == 20
    assert len(found[2].screen.lines) == 8
    assert "touch made" in found[1].state.detail


async def test_words_of_channels_and_hooks_are_played_too(tmux_server: TmuxServer) -> None:
    """Between the output, in their order."""
    said = [
        ("x-channel", "active"),
        ("m", "state=busy"),
        ("x-channel", "active waitingOnApproval"),
        ("m", "state=blocked"),
    ]
    cast = Cast("codex", "1.0", "day", (80, 24), [Event(float(at), *event) for at, event in enumerate(said)])
    found = await replay(cast, load_kinds()["codex"], tmux_server)
    assert [(seen.state.state, seen.state.source) for seen in found] == [(BUSY, "channel"), (BLOCKED, "channel")]
    kind = msgspec.structs.replace(DEMO, states=(StateRule(state=BUSY, region=Region.HOOK, match="^Started$"),))
    cast.events = [Event(0.0, "x-hook", "Started"), Event(1.0, "m", "state=busy")]
    assert (await replay(cast, kind, tmux_server))[0].state.source == "hook"


async def test_what_does_not_come_is_said_with_the_screen(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TimeoutError, match="❯"):
        await recorded(home, monkeypatch, Step(wait="^❯"), Step(wait="never", timeout_s=0.3))


def seen(state: AgentState, *lines: str) -> Seen:
    """The demo agent idle, told as `state`, with this screen."""
    return Seen(Mark(IDLE), State(state=state), ScreenSeen(at=0, lines=lines), ())


def test_a_repaint_is_a_difference() -> None:
    """Another state, other lines, another number of markers; but no spinner and no clock."""
    same = seen(IDLE, "⠙ 12 s", "footer")
    assert list(differences("a", [same], "b", [seen(IDLE, "⠹ 34 s", "footer")])) == []
    said = list(differences("a", [same, same], "b", [seen(AgentState.UNKNOWN, "⠹ 12 s", "Footer")]))
    assert said[0] == "marker 0: state=idle was told as idle, now as unknown"
    assert {"-footer", "+Footer", "2 markers before, 1 now"} <= set(said)


def test_a_recording_is_compared_with_the_one_before(tmux_server: TmuxServer) -> None:
    """Of the same scenario in the same size, be it of another version."""
    old = casts.read(next(path for path in casts.paths("demo") if "80x24" in path.name))
    new = dataclasses.replace(old, version="9.9")
    assert previous(new) == old
    assert previous(dataclasses.replace(old, name="night")) is None
    assert not [line for line in changes(new, old, DEMO, tmux_server) if not line.startswith("ok")]
    assert list(changes(new, old, None, tmux_server)) == ["there is no kind demo yet: no state is told"]
    assert list(changes(new, None, DEMO, tmux_server))[-1] == "it is the first recording of this"
