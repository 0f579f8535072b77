"""The order of messages, who waits and why, and what may still be taken out."""

from datetime import timedelta

import msgspec
import pytest

from tests.unit.delivery.screens import composer
from tests.unit.delivery.world import DEMO, EPOCH, message
from tmuxorc.agents.evidence import State
from tmuxorc.agents.kinds import load_kinds
from tmuxorc.delivery import Done, Marker, Outbox, Stage
from tmuxorc.delivery._marker import token_of
from tmuxorc.model import AgentState, MessageStep, MessageView, Rung, Terms

IDLE = State(state=AgentState.IDLE)


def outbox(*numbers: int, marker: str = "") -> Outbox:
    """An outbox with these messages, each a minute younger than the one before."""
    messages = [
        msgspec.structs.replace(message(n, f"text {n}"), created_at=EPOCH + timedelta(minutes=n)) for n in numbers
    ]
    return Outbox(DEMO, incarnation="3", marker=marker, messages=messages)


def ids(box: Outbox, state: State = IDLE) -> list[str]:
    """The order in which everything is begun."""
    order: list[str] = []
    while ladder := box.begin(state):
        order.append(ladder.message.id)
        box.finish(ladder)
    return order


def test_first_in_first_out() -> None:
    """In the order of acceptance, new ones last."""
    box = outbox(1, 2)
    box.add(message(3, "more"))
    assert ids(box) == ["m-1", "m-2", "m-3"]


def test_higher_priority_goes_first() -> None:
    """Among equals the order of acceptance holds, for those there at the beginning and for new ones."""
    urgent = [msgspec.structs.replace(message(n, "urgent"), terms=Terms(priority=5)) for n in (3, 4, 5)]
    box = Outbox(DEMO, incarnation="3", messages=[message(1, "a"), message(2, "b"), *urgent[:2]])
    box.add(urgent[2])
    box.add(message(6, "c"))
    assert ids(box) == ["m-3", "m-4", "m-5", "m-1", "m-2", "m-6"]


def test_nothing_overtakes_what_is_typed() -> None:
    """However urgent it is: the text stands in the composer already."""
    marker = Marker(token="m-1", stage=Stage.PASTED, incarnation="3")
    box = outbox(1, marker=str(marker))
    box.add(msgspec.structs.replace(message(2, "urgent"), terms=Terms(priority=5)))
    assert ids(box) == ["m-1", "m-2"]


def test_an_obstacle_holds_up_all_but_what_is_typed() -> None:
    box = outbox(1)
    assert box.begin(IDLE, obstacle="an earlier one waits") is None
    typed = outbox(1, marker=str(Marker(token="m-1", stage=Stage.PASTED, incarnation="3")))
    assert typed.begin(IDLE, obstacle="an earlier one waits") is not None


def test_a_message_that_goes_another_way_is_taken_out_and_may_come_back() -> None:
    box = outbox(1, 2)
    first = box.first
    assert first is not None
    box.take_first()
    assert [m.id for m in box.waiting] == ["m-2"]
    box.put_back(first)
    assert ids(box) == ["m-1", "m-2"]
    assert box.first is None


def test_a_delivery_that_is_put_aside_is_begun_anew() -> None:
    """It keeps its place, and may go another way."""
    box = outbox(1, 2)
    ladder = box.begin(IDLE)
    assert ladder is not None
    box.put_aside()
    assert box.first is not None
    assert ids(box) == ["m-1", "m-2"]


def test_one_under_way() -> None:
    """The next begins when the one before is done."""
    box = outbox(1, 2)
    ladder = box.begin(IDLE)
    assert ladder is not None
    assert box.current is ladder
    assert box.begin(IDLE) is None
    assert len(box) == 2
    assert [m.id for m in box.waiting] == ["m-2"]
    assert "m-1" in repr(box)


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (AgentState.IDLE, ""),
        (AgentState.BUSY, ""),
        (AgentState.STARTING, "the agent is starting"),
        (AgentState.BLOCKED, "the agent waits for an answer: rm -rf x"),
        (AgentState.LIMITED, "the agent is rate-limited: rm -rf x"),
        (AgentState.UNKNOWN, "it is not known what the agent is doing: rm -rf x"),
        (AgentState.EXITED, "the agent does not run"),
        (AgentState.FAILED, "the agent does not run"),
    ],
)
def test_what_state_lets_a_message_through(state: AgentState, reason: str) -> None:
    """The demo agent takes messages while idle and queues them while busy."""
    detail = "" if state in (AgentState.STARTING, AgentState.EXITED, AgentState.FAILED) else "rm -rf x"
    told = State(state=state, detail=detail)
    box = outbox(1)
    assert box.reason(told) == reason
    assert (box.begin(told) is None) == bool(reason)


def test_a_shell_takes_messages_only_while_idle() -> None:
    """A busy one has another program in the foreground, which would get the text."""
    box = Outbox(load_kinds()["shell"], incarnation="1", messages=[message(1, "ls")])
    assert box.reason(State(state=AgentState.BUSY, detail="vim")) == "the agent is busy: vim"
    assert box.begin(IDLE) is not None


def test_the_message_of_the_marker_comes_first_whatever_the_agent_does() -> None:
    """Its text is in the composer, in the way of all others."""
    box = outbox(1, 2, marker="m-2:pasted:3")
    assert ids(box, State(state=AgentState.BLOCKED)) == ["m-2"]
    assert ids(box) == ["m-1"]


def test_a_message_submitted_to_another_process_is_settled_at_once() -> None:
    """Nothing need be running for that."""
    assert ids(outbox(1, marker="m-1:submitted:2"), State(state=AgentState.STARTING)) == ["m-1"]


def test_a_message_pasted_into_another_process_waits_like_any_other() -> None:
    """It is sent again, so the agent must be ready for it."""
    assert ids(outbox(1, marker="m-1:pasted:2"), State(state=AgentState.STARTING)) == []


def test_typed_text_is_not_taken_out_while_it_waits_for_its_ladder() -> None:
    """Its text is in the agent: the supervisor was away while it was typed."""
    assert not outbox(1, marker="m-1:pasted:3").take_out("m-1")


def test_a_delivery_under_way_is_taken_out_only_while_nothing_is_typed() -> None:
    """After the paste it is in the agent's hands."""
    box = outbox(1)
    ladder = box.begin(IDLE)
    assert ladder is not None
    ladder.begin()
    ladder.answer(composer())
    assert not box.take_out("m-1")
    ladder.answer(False)
    assert box.take_out("m-1")
    assert box.current is None


def test_cancelling() -> None:
    """What waits can be taken out, what is typed cannot."""
    box = outbox(1, 2)
    ladder = box.begin(IDLE)
    assert ladder is not None
    assert box.take_out("m-2")
    assert not box.take_out("m-9")
    assert box.take_out("m-1")
    assert len(box) == 0


def test_the_marker_is_handed_from_delivery_to_delivery() -> None:
    """The next gate expects what the last act left on the pane."""
    box = outbox(1, 2, marker="m-1:submitted:3")
    first = box.begin(IDLE)
    assert first is not None
    effect = first.begin()
    while not isinstance(effect, Done):
        effect = first.answer(composer())
    box.finish(first)
    second = box.begin(IDLE)
    assert second is not None
    assert second.marker == "m-1:submitted:3"


@pytest.mark.parametrize("word", ["", None, "m-1", "m-1:eaten:3", "m-1:pasted:", "m-1:pasted:3:4", "a b:pasted:3"])
def test_a_foreign_marker_is_no_marker(word: str | None) -> None:
    """Whatever somebody wrote into the option."""
    assert Marker.parse(word) is None


def test_a_marker_round_trips() -> None:
    """Through the one word that is stored."""
    marker = Marker(token="m-1.2", stage=Stage.RESUBMITTED, incarnation="3.4711")
    assert Marker.parse(str(marker)) == marker
    assert str(marker) == "m-1.2:resubmitted:3.4711"


def test_each_attempt_has_a_token_of_its_own() -> None:
    """A message that an operator had delivered again is not taken for the one before."""

    def tried(times: int) -> MessageView:
        steps = [MessageStep(rung=Rung.ACCEPTED, at=EPOCH, evidence="")] * times
        return msgspec.structs.replace(message(1, "x"), history=tuple(steps))

    assert [token_of(tried(n)) for n in range(4)] == ["m-1", "m-1", "m-1.2", "m-1.3"]
