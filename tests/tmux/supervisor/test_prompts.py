"""What an agent asks is shown, answered exactly, and never by accident; and why it is thought to ask is told."""

from pathlib import Path

import pytest

from tests.support import Home
from tests.tmux.supervisor._orc import BLOCKED, BUSY, IDLE, PYTHON, Orc
from tmuxorc.errors import RemoteError
from tmuxorc.model import Choice, Prompt, Rung, Verdict, Why
from tmuxorc.wire import methods as m

APPROVE, DENY = Choice(verdict=Verdict.APPROVE), Choice(verdict=Verdict.DENY)


@pytest.fixture
def record(orc: Orc, home: Home) -> Path:
    """A demo agent that asks for a permission; what it was told is written there."""
    record = home.root / "record"
    orc.spawn("alice", PYTHON, "-I", "-m", "tmuxorc.agents.demo", "--record", str(record), kind="demo", wait="ready")
    return record


def ask(orc: Orc, command: str) -> Prompt:
    """Have alice ask; what `agent info` shows of it."""
    orc.send("alice", f"ask {command}", Rung.SUBMITTED)
    orc.await_state("alice", BLOCKED)
    prompt = orc.info("alice").prompt
    assert prompt is not None
    return prompt


def answer(orc: Orc, choice: Choice) -> m.Answered:
    return orc.call(m.AGENT_ANSWER, m.AnswerPrompt(target="alice", choice=choice))


def why(orc: Orc) -> Why:
    return orc.call(m.AGENT_WHY, m.Target(target="alice"))


def test_a_prompt_is_shown_with_its_options_and_allowed(orc: Orc, record: Path) -> None:
    prompt = ask(orc, "make release")
    assert prompt.command == "make release"
    assert [option.label for option in prompt.options][:1] == ["Yes"]
    done = answer(orc, Choice(verdict=Verdict.APPROVE, expect="make release"))
    assert done.prompt.id == prompt.id
    orc.await_state("alice", IDLE)
    assert orc.info("alice").prompt is None
    (event,) = [event for event in orc.events() if event.type == "agent.answered"]
    assert (event.data["verdict"], event.data["asked"]) == ("approve", "make release")


def test_a_prompt_is_refused_and_another_is_another(orc: Orc, record: Path) -> None:
    first = ask(orc, "rm -rf build")
    answer(orc, DENY)
    orc.await_state("alice", IDLE)
    second = ask(orc, "make test")
    assert second.id != first.id
    answer(orc, Choice(verdict=Verdict.ANSWER, key=second.approve))
    orc.await_state("alice", IDLE)


@pytest.mark.parametrize(
    ("choice", "code"),
    [
        (Choice(verdict=Verdict.APPROVE, expect="make clean"), "prompt_over"),
        (Choice(verdict=Verdict.ANSWER, key="9"), "no_such_option"),
        (Choice(verdict=Verdict.ANSWER), "no_such_option"),
    ],
    ids=["another is meant", "no such option", "none given"],
)
def test_an_answer_to_something_else_does_nothing(orc: Orc, record: Path, choice: Choice, code: str) -> None:
    prompt = ask(orc, "make release")
    with pytest.raises(RemoteError) as refused:
        answer(orc, choice)
    assert refused.value.code == code
    assert orc.info("alice").prompt == prompt


def test_who_asks_nothing_is_not_answered(orc: Orc, record: Path) -> None:
    with pytest.raises(RemoteError, match="asks nothing"):
        answer(orc, APPROVE)


def test_of_two_who_answer_one_is_told_that_he_was_late(orc: Orc, record: Path) -> None:
    """The keys of the second meet a composer, where they would be typed: tmux sees that, and presses none."""
    ask(orc, "make release")
    outcomes = orc.all_at_once([lambda: answer(orc, APPROVE)] * 4)
    late = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert len(late) == 3
    assert {getattr(error, "code", "?") for error in late} <= {"prompt_over", "refused"}
    orc.await_state("alice", IDLE)
    orc.send("alice", "echo unspoilt", Rung.SUBMITTED)
    assert record.read_text().count("unspoilt") == 1


def test_a_turn_is_interrupted_and_a_prompt_is_not(orc: Orc, record: Path) -> None:
    orc.send("alice", "work 60", Rung.SUBMITTED)
    orc.await_state("alice", BUSY)
    orc.call(m.AGENT_INTERRUPT, m.Target(target="alice"))
    orc.await_state("alice", IDLE)
    prompt = ask(orc, "make release")
    with pytest.raises(RemoteError, match="no turn to interrupt"):
        orc.call(m.AGENT_INTERRUPT, m.Target(target="alice"))
    assert orc.info("alice").prompt == prompt


def test_why_tells_what_decides_and_what_else_was_seen(orc: Orc, record: Path) -> None:
    ask(orc, "make release")
    told = why(orc)
    assert told.state is BLOCKED
    deciding = [clue for clue in told.clues if clue.decides]
    assert [(clue.state, clue.rule) for clue in deciding] == [(BLOCKED, "states[0]")]
    assert "processstarted" in {clue.source for clue in told.clues}
    orc.stop("alice")
    assert [clue.source for clue in why(orc).clues] == ["process"]
