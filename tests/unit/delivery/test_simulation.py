"""The whole delivery against the demo agent's own session, under every kind of bad luck."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.delivery.world import DEMO, World, message
from tmuxorc.delivery import framed
from tmuxorc.model import Rung

TEXTS = ("echo one", "work 0.4\nwith\ta second line", "echo three " + "long " * 40, "lines 3\n" * 30)
DELIVERED = (Rung.SUBMITTED, Rung.TAKEN_IN)


def world(schedule: list[str], *, lag: bool = False, count: int = 4) -> World:
    """A world with the first `count` messages, one of them from another agent, run to its end."""
    senders = ("operator", "main/bob", "operator", "operator")
    messages = [message(n, TEXTS[n], sender=senders[n]) for n in range(count)]
    made = World(messages, schedule, lag=lag)
    made.settle()
    return made


def after(steps: int, *then: str) -> list[str]:
    """A schedule of nothing for so many steps, and then this."""
    return ["nothing"] * steps + list(then)


def times_taken_in(world: World, number: int) -> int:
    """How often the agent took in the message, byte for byte."""
    text = framed(DEMO, world.journal[f"m-{number}"])
    return sum(record == text for record in world.pane.records)


def check_exactly_once(world: World) -> None:
    """What the journal says is what happened, and nothing happened twice."""
    for number in range(len(world.journal)):
        times, rung = times_taken_in(world, number), world.rung(number)
        assert times <= 1, f"m-{number} was taken in {times} times"
        assert rung in (*DELIVERED, Rung.UNVERIFIED)
        if rung in DELIVERED and not world.pane.crashed:
            world.pane.pass_time(100)
            assert times_taken_in(world, number) == 1, f"m-{number} is {rung.value} and was not taken in"


def test_an_undisturbed_agent_takes_in_every_message_once_and_in_order() -> None:
    """Nothing but texts, no disturbance: first in, first out, byte for byte."""
    done = world([])
    done.pane.pass_time(100)
    assert done.pane.records == [framed(DEMO, m) for m in done.journal.values()]
    assert {m.rung for m in done.journal.values()} <= set(DELIVERED)


@pytest.mark.parametrize("lag", [False, True])
def test_a_supervisor_killed_between_any_two_steps_loses_and_doubles_nothing(lag: bool) -> None:
    """Killed at every point of the way, the next supervisor goes on from the marker."""
    for at in range(60):
        done = world(after(at, "kill"), lag=lag, count=3)
        check_exactly_once(done)
        assert all(m.rung in DELIVERED for m in done.journal.values()), at


def test_two_kills_close_to_each_other() -> None:
    """The second supervisor dies while it goes on where the first one stopped."""
    for first, gap in product(range(0, 40, 3), range(12)):
        check_exactly_once(world([*after(first, "kill"), *after(gap, "kill")], count=2))


@pytest.mark.parametrize("disturbance", ["dialog", "copy_mode", "draft", "erase", "crash"])
def test_one_disturbance_at_any_point(disturbance: str) -> None:
    """A dialog, copy mode, a draft, an emptied composer or a crash, wherever it comes."""
    for at in range(40):
        done = world(after(at, disturbance), count=2)
        check_exactly_once(done)
        assert done.pane.wrong == [], at


@pytest.mark.parametrize("end", [("new_pane",), ("kill", "new_pane")], ids=str)
def test_a_pane_lost_with_its_marker(end: tuple[str, ...]) -> None:
    """Nothing is sent again that may have been submitted; what was certainly not submitted is."""
    for at in range(40):
        check_exactly_once(world(after(at, *end), count=2))


@pytest.mark.parametrize(("swallowed", "rung"), [(1, Rung.TAKEN_IN), (2, Rung.UNVERIFIED)])
def test_an_agent_that_swallows_submit_keys_gets_one_more_and_no_third(swallowed: int, rung: Rung) -> None:
    """The text is still in the composer after its time: one more key, once, then it is unverified."""
    made = World([message(0, TEXTS[0])], [])
    made.pane.swallow = swallowed
    made.settle()
    assert (made.rung(0), made.pane.presses) == (rung, 2)


def test_a_kill_never_leads_to_a_third_submit_key() -> None:
    """The second press is marked too."""
    for at in range(30):
        made = World([message(0, TEXTS[0])], after(at, "kill"))
        made.pane.swallow = 9
        made.settle()
        assert made.pane.presses == 2, at
        assert made.rung(0) is Rung.UNVERIFIED, at


def test_a_dialog_never_makes_a_message_unverified() -> None:
    """The message waits for the answer, wherever on its way the question came."""
    for at in range(40):
        done = world(after(at, "dialog"), count=2)
        assert all(m.rung in DELIVERED for m in done.journal.values()), at


STEPS = ["nothing", "nothing", "agent", "time", "long", "dialog", "answer", "copy_mode", "kill"]
PERSON = ["draft", "erase"]


@given(st.lists(st.sampled_from([*STEPS, *PERSON, "crash", "new_pane"]), max_size=60))
def test_bad_luck_of_every_kind(schedule: list[str]) -> None:
    """Exactly once, and never a key into a dialog that was on the screen."""
    done = world(schedule)
    check_exactly_once(done)
    assert done.pane.wrong == []
    ours = {framed(DEMO, m) for m in done.journal.values()}
    assert set(done.pane.records) <= ours, "a draft was sent with a message"


@given(st.lists(st.sampled_from([*STEPS, "crash"]), max_size=60))
def test_a_slow_agent_under_bad_luck(schedule: list[str]) -> None:
    """An agent that reads late, paste and Enter together if they are there together."""
    check_exactly_once(world(schedule, lag=True))


@given(st.lists(st.sampled_from(["nothing", "agent", "time", "kill"]), max_size=60))
def test_kills_alone_leave_nothing_unverified(schedule: list[str]) -> None:
    """As long as the pane lives its marker tells the next supervisor all it needs."""
    done = world(schedule)
    assert all(m.rung in DELIVERED for m in done.journal.values())
