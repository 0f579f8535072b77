"""The state of an agent, folded from evidence."""

from collections.abc import Iterable

import msgspec
import pytest

from tests.unit.delivery.screens import RULE, composer, dialog, terminal
from tmuxorc.agents import Detector, load_kinds
from tmuxorc.agents.evidence import (
    Bell,
    Evidence,
    Exited,
    ForegroundSeen,
    Osc,
    ProcessStarted,
    ReadyTimedOut,
    ScreenSeen,
    TitleSeen,
)
from tmuxorc.agents.kinds import Kind
from tmuxorc.agents.schema import Region, StateRule
from tmuxorc.model import AgentState

KINDS = load_kinds()
STARTED = ProcessStarted(at=0)


def told(kind: Kind, evidence: Iterable[Evidence]) -> list[tuple[AgentState, str]]:
    """Every change of state that the evidence brings about."""
    detector = Detector(kind)
    states = [detector.feed(piece) for piece in evidence]
    return [(state.state, state.detail) for state in states if state]


def after(kind: Kind, *evidence: Evidence) -> AgentState:
    """The last of them."""
    return told(kind, [STARTED, *evidence])[-1][0]


def test_a_command_is_busy_while_it_runs() -> None:
    """And says how it ended."""
    assert told(KINDS["command"], [STARTED, Exited(at=1, status=0)]) == [
        (AgentState.BUSY, ""),
        (AgentState.EXITED, "exit status 0"),
    ]
    assert told(KINDS["command"], [STARTED, Exited(at=1, status=3)])[-1] == (AgentState.FAILED, "exit status 3")
    assert told(KINDS["command"], [STARTED, Exited(at=1, signal="SIGKILL")])[-1] == (
        AgentState.FAILED,
        "ended by SIGKILL",
    )


def test_a_shell_is_idle_while_it_is_in_the_foreground_itself() -> None:
    """Starting until it has painted something."""
    own, other = ForegroundSeen(at=1, command="bash", own=True), ForegroundSeen(at=2, command="vim", own=False)
    assert told(KINDS["shell"], [STARTED, own, terminal(), terminal("$ "), other, own]) == [
        (AgentState.STARTING, ""),
        (AgentState.IDLE, ""),
        (AgentState.BUSY, "vim"),
        (AgentState.IDLE, ""),
    ]


def test_a_shell_without_a_prompt_is_taken_as_it_is_in_the_end() -> None:
    """Once its time to get ready is over."""
    own = ForegroundSeen(at=1, command="sh", own=True)
    assert after(KINDS["shell"], own, ReadyTimedOut(at=9)) is AgentState.IDLE


def test_the_demo_agents_life() -> None:
    """Starting until its composer shows, then what the frame says."""
    screens = [
        terminal("demo agent is starting…"),
        composer(),
        composer("draft"),
        composer(footer="esc to interrupt · 1 queued"),
        composer(footer="limited until 12:00:01"),
        dialog(),
        composer(),
    ]
    assert told(KINDS["demo"], [STARTED, *screens]) == [
        (AgentState.STARTING, ""),
        (AgentState.IDLE, ""),
        (AgentState.BUSY, ""),
        (AgentState.LIMITED, "until 12:00:01"),
        (AgentState.BLOCKED, "rm -rf x"),
        (AgentState.IDLE, ""),
    ]


WORDS = ("esc to interrupt", "  esc to interrupt", " Enter to approve · Esc", "  limited until 12:00", "  ? for help")


@pytest.mark.parametrize("word", WORDS)
def test_words_in_the_transcript_mean_nothing(word: str) -> None:
    """Only their place in the frame does."""
    assert after(KINDS["demo"], composer(transcript=(word, "x"))) is AgentState.IDLE


@pytest.mark.parametrize("word", WORDS)
def test_words_in_the_composer_mean_nothing(word: str) -> None:
    """Even if they look like the footer below it."""
    assert after(KINDS["demo"], composer("first", word)) is AgentState.IDLE


def test_what_is_not_recognised_is_unknown_and_no_guess() -> None:
    """Before the agent was ready it is starting, until its time is over."""
    odd, other_footer = terminal("what is this"), composer(footer="new in version 9")
    assert after(KINDS["demo"], odd) is AgentState.STARTING
    assert after(KINDS["demo"], composer(), odd) is AgentState.UNKNOWN
    assert after(KINDS["demo"], composer(), other_footer) is AgentState.UNKNOWN
    assert told(KINDS["demo"], [STARTED, odd, ReadyTimedOut(at=20)])[-1] == (
        AgentState.UNKNOWN,
        "not ready after 20 s",
    )


def test_a_late_agent_is_known_when_it_comes() -> None:
    """Running out of time ends the waiting, not the watching."""
    assert after(KINDS["demo"], ReadyTimedOut(at=20), composer()) is AgentState.IDLE


def test_blocked_by_a_dialog_ends_the_start() -> None:
    """S15: it is one of the three endings of a start."""
    detector = Detector(KINDS["demo"])
    detector.feed(STARTED)
    assert not detector.ready
    detector.feed(dialog())
    assert detector.ready
    assert detector.state.state is AgentState.BLOCKED


def test_an_adopted_agent_is_unknown_until_it_is_seen() -> None:
    """It is not starting: it has been running all the time."""
    assert told(KINDS["demo"], [ProcessStarted(at=0, adopted=True), composer()]) == [(AgentState.IDLE, "")]


def test_a_new_process_forgets_the_old_one() -> None:
    """Neither its exit nor its screen tells anything of the next."""
    ended = [STARTED, composer(), Exited(at=1, status=1), ProcessStarted(at=2)]
    assert told(KINDS["demo"], ended)[-1] == (AgentState.STARTING, "")


def test_an_exited_agents_old_screen_means_nothing() -> None:
    """It stays painted."""
    assert after(KINDS["demo"], composer(), Exited(at=1, status=0), composer()) is AgentState.EXITED


def test_the_evidence_can_be_shown() -> None:
    """The newest of each sort, with its age."""
    detector = Detector(KINDS["demo"])
    for piece in (STARTED, composer(at=1), TitleSeen(at=2, title="x"), composer(at=3), Bell(at=4)):
        detector.feed(piece)
    assert detector.why == (STARTED, TitleSeen(at=2, title="x"), composer(at=3), Bell(at=4))
    assert detector.state.source == "footer"
    assert repr(detector) == "<Detector demo idle ready=True>"


def rule(state: AgentState, region: Region, match: str) -> StateRule:
    """A rule without a detail."""
    return StateRule(state=state, region=region, match=match)


PUSHING = msgspec.structs.replace(
    KINDS["demo"],
    name="pushing",
    states=(
        rule(AgentState.BUSY, Region.OSC, "^state=working"),
        rule(AgentState.BLOCKED, Region.TITLE, r"Action Required (?P<detail>.*)$"),
        rule(AgentState.LIMITED, Region.ABOVE, "^retrying"),
        rule(AgentState.UNKNOWN, Region.CURSOR, "^❯ strange"),
        rule(AgentState.IDLE, Region.LAST, "help"),
    ),
)


@pytest.mark.parametrize(
    ("evidence", "state"),
    [
        ([Osc(at=1, number=7501, text="state=working:app=codex")], AgentState.BUSY),
        ([Osc(at=1, number=9, text="state=working")], AgentState.STARTING),
        ([TitleSeen(at=1, title="[ ! ] Action Required now")], AgentState.BLOCKED),
        ([composer(transcript=("retrying in 3 s",))], AgentState.LIMITED),
        ([composer(transcript=("retrying", RULE, "1", "2", "3"))], AgentState.IDLE),
        ([composer("strange")], AgentState.UNKNOWN),
        ([TitleSeen(at=1, title="Action Required"), ScreenSeen(at=2, lines=("help",), title="-")], AgentState.IDLE),
    ],
)
def test_rules_may_look_at_what_a_program_pushes_and_paints(evidence: list[Evidence], state: AgentState) -> None:
    """OSC 7501, the title (the newer of the two), the lines above the composer, the cursor's line."""
    detector = Detector(PUSHING)
    for piece in (STARTED, *evidence):
        detector.feed(piece)
    assert detector.state.state is state
