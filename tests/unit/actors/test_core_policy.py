"""The core's policy point by point: intensity, backoff, quarantine, failed starts, folding up, limits."""

import math

import pytest

from tests.unit.actors._world import ERROR, NO_BACKOFF, Paper, child
from tmuxorc.actors import (
    AutoShutdown,
    Backoff,
    ChildLeaked,
    ChildQuarantined,
    ChildSpec,
    ChildStopped,
    Failed,
    Finished,
    GaveUp,
    Killed,
    Restart,
    RestartScheduled,
    StartFailed,
    StartTimeout,
    Stopped,
    StoppedLate,
    Strategy,
    SupervisorGaveUp,
    SupervisorSpec,
)
from tmuxorc.actors._sequence import FORGOTTEN
from tmuxorc.errors import UsageError
from tmuxorc.model import Desired

ONE_SECOND = Backoff(base_s=1.0, cap_s=8.0, jitter=0.2, stable_after_s=30.0, max_streak=6, immediate=1)


def delays(paper: Paper) -> list[float]:
    return [event.delay_s for event in paper.events if isinstance(event, RestartScheduled)]


# --- S1: specs ---


@pytest.mark.parametrize("id", ["", "a/b"])
def test_ids_are_checked(id: str) -> None:
    """S1: an id names one step of a path."""
    with pytest.raises(UsageError, match="id"):
        child(id)


def test_duplicate_ids_are_refused() -> None:
    """S1: two children of one id cannot be told apart."""
    with pytest.raises(UsageError, match="a"):
        SupervisorSpec(children=(child("a"), child("b"), child("a")))


def test_a_permanent_child_cannot_be_significant() -> None:
    """S12: it never ends for good."""
    with pytest.raises(UsageError, match="significant"):
        child("a", significant=True)


@pytest.mark.parametrize("bad", [-1.0, math.nan])
def test_limits_are_checked(bad: float) -> None:
    """S1: durations are seconds, 0 or more."""
    for field in ("shutdown_s", "start_timeout_s"):
        with pytest.raises(UsageError):
            child("a", **{field: bad})
    with pytest.raises(UsageError):
        Backoff(base_s=bad)


def test_specs_are_frozen() -> None:
    """S1: a spec is data that nobody changes under the supervisor."""
    with pytest.raises(AttributeError):
        child("a").id = "b"  # type: ignore[misc]
    assert isinstance(child("a"), ChildSpec)


# --- S4, S5, S11: order, failing starts ---


def test_start_and_stop_order() -> None:
    """S4, S5: each starts when the one before is up; stops go the other way, one by one."""
    paper = Paper(child("a"), child("b"), child("c", desired=Desired.STOPPED), child("d"))
    paper.take(paper.core.start(paper.instant))
    assert paper.log == ["launch a"]
    paper.acknowledge("a")
    assert paper.log == ["launch a", "launch b"]
    paper.acknowledge("b")
    assert not paper.ready
    paper.acknowledge("d")
    assert paper.ready
    paper.log.clear()
    paper.take(paper.core.shutdown(Finished(), paper.instant))
    assert paper.log == ["halt d"]
    paper.obey("d")
    assert paper.log == ["halt d", "halt b"]
    paper.settle()
    assert paper.log == ["halt d", "halt b", "halt a"]
    assert paper.ended == Finished()


def test_a_failing_first_start_undoes_the_others() -> None:
    """S4: those already up are stopped in reverse order and the start fails with the child's own error."""
    paper = Paper(child("a"), child("b"), child("c"), child("d"))
    paper.take(paper.core.start(paper.instant))
    paper.acknowledge("a")
    paper.acknowledge("b")
    paper.crash("c")
    paper.settle()
    assert paper.log == ["launch a", "launch b", "launch c", "halt b", "halt a"]
    assert paper.ended == StartFailed(ERROR)
    assert not paper.ready


def test_a_start_that_times_out() -> None:
    """S3, S4: not acknowledged in time is its own reason, and fails the supervisor's start."""
    paper = Paper(child("a", start_timeout_s=3.0))
    paper.take(paper.core.start(paper.instant))
    paper.tick()
    assert paper.now == 3.0
    assert paper.halting == {"a": StartTimeout()}
    paper.settle()
    assert isinstance(paper.ended, StartFailed)
    assert "did not start within 3 s" in str(paper.ended.error)


def test_nothing_follows_a_start_that_is_being_cancelled() -> None:
    """S4: the one before has not acknowledged, and it will not."""
    paper = Paper(child("a", start_timeout_s=3.0), child("b"))
    paper.take(paper.core.start(paper.instant))
    paper.tick()
    assert paper.log == ["launch a", "kill a"]
    paper.obey("a")
    assert paper.log == ["launch a", "kill a"]
    assert isinstance(paper.ended, StartFailed)


def test_a_failing_start_in_a_group_restart() -> None:
    """S11: those up stay up, the retry is scheduled, each attempt counts."""
    paper = Paper(
        child("a"), child("b", backoff=ONE_SECOND), child("c"), strategy=Strategy.ONE_FOR_ALL, intensity=3, period_s=60
    )
    paper.start()
    paper.crash("b")
    for id in ("c", "a"):
        paper.obey(id)
    paper.acknowledge("a")
    paper.crash("b")
    assert paper.live.keys() == {"a"}, "a stays up, c waits for b"
    assert paper.status("b") == "waiting"
    assert paper.status("c") == "pending"
    paper.tick()
    paper.crash("b")
    paper.tick()
    assert delays(paper) == pytest.approx([0.0, 1.1, 2.2])
    paper.crash("b")
    assert isinstance(paper.core.outcome, Failed), "the fourth attempt was one too many"


def test_a_stop_overtakes_the_retry() -> None:
    """S7, S11: an operator's stop of a child that is backing off is done at once, and its group goes on without it."""
    paper = Paper(child("a", backoff=Backoff(immediate=0)), child("b"), strategy=Strategy.REST_FOR_ONE)
    paper.start()
    paper.crash("a")
    paper.settle()
    assert paper.status("b") == "pending"
    paper.order("stop", "a")
    assert paper.settled == {("stop", "a"): None}
    paper.settle()
    assert (paper.status("a"), paper.status("b")) == ("stopped", "running")


# --- S9: intensity ---


def crash_at(paper: Paper, *times: float) -> None:
    for at in times:
        paper.tick(to=at)
        paper.crash("a")
        paper.settle()


def test_an_entry_exactly_one_period_old_still_counts() -> None:
    """S9: the window is closed at both ends."""
    paper = Paper(child("a"), intensity=2, period_s=5.0)
    paper.start()
    crash_at(paper, 1.0, 2.0)
    paper.tick(to=6.0)
    paper.crash("a")
    assert isinstance(paper.core.outcome, Failed)


def test_an_entry_older_than_the_period_does_not() -> None:
    """S9: a little later the oldest is out of the window."""
    paper = Paper(child("a"), intensity=2, period_s=5.0)
    paper.start()
    crash_at(paper, 1.0, 2.0, 6.001)
    assert paper.status("a") == "running"


def test_giving_up_stops_the_others_and_fails_upward() -> None:
    """S9: children stop in reverse order; the reason names the limit."""
    paper = Paper(child("a"), child("b"), child("c"), intensity=0)
    paper.start()
    paper.crash("b")
    paper.settle()
    assert paper.log == ["halt c", "halt a"]
    assert isinstance(paper.ended, Failed)
    assert isinstance(paper.ended.error, GaveUp)
    assert paper.ended.error.code == "reached_max_restart_intensity"
    (event,) = (e for e in paper.events if isinstance(e, SupervisorGaveUp))
    assert (event.path, event.child, event.intensity) == ("top", "b", 0)


def test_operator_restarts_do_not_count() -> None:
    """S9: a person may restart as often as they like."""
    paper = Paper(child("a"), intensity=0)
    paper.start()
    for n in range(5):
        paper.order("restart", "a", n)
        paper.settle()
    assert paper.settled == dict.fromkeys(range(5))
    assert [(i.generation, i.restarts) for i in paper.core.children()] == [(6, 0)]


# --- S10: backoff and quarantine ---


def test_backoff_grows_to_its_cap() -> None:
    """S10: min(cap, base·2^n)·(1+jitter·u), after the immediate ones."""
    assert [ONE_SECOND.delay_s(n, 0.0) for n in range(7)] == [0, 1, 2, 4, 8, 8, 8]
    assert ONE_SECOND.delay_s(1, 0.5) == pytest.approx(1.1)
    assert Backoff(immediate=3).delay_s(2, 0.9) == 0.0
    assert Backoff(cap_s=60.0, jitter=0.0).delay_s(100_000, 0.0) == 60.0


def test_a_streak_ends_in_quarantine_and_a_person_ends_that() -> None:
    """S10: max_streak restarts in a row, then quarantine; by hand it starts with a clean slate."""
    paper = Paper(child("a", backoff=Backoff(base_s=1.0, jitter=0.0, max_streak=3)), child("b"))
    paper.start()
    for _ in range(4):
        paper.crash("a")
        if paper.status("a") == "waiting":
            paper.tick()
        paper.settle()
    assert paper.status("a") == "quarantined"
    assert delays(paper) == [0.0, 1.0, 2.0]
    (event,) = (e for e in paper.events if isinstance(e, ChildQuarantined))
    assert event.streak == 3
    assert paper.status("b") == "running", "no sibling is touched"
    assert paper.core.deadline == math.inf
    paper.order("resume", "a")
    paper.settle()
    paper.crash("a")
    assert delays(paper)[-1] == 0.0


def test_time_up_clears_the_streak() -> None:
    """S10: stable_after seconds up, exactly, and the next restart is a first one again."""
    paper = Paper(child("a", backoff=Backoff(jitter=0.0, stable_after_s=30.0)))
    paper.start()
    paper.crash("a")
    paper.settle()
    paper.tick(to=29.9)
    paper.crash("a")
    paper.tick()
    paper.settle()
    paper.tick(to=paper.now + 30.0)
    paper.crash("a")
    assert delays(paper) == [0.0, 1.0, 0.0]


def test_a_quarantined_child_does_not_take_its_group_along() -> None:
    """S10: one broken agent login never takes a team down."""
    paper = Paper(
        child("a"), child("b", backoff=Backoff(immediate=1, max_streak=1)), strategy=Strategy.ONE_FOR_ALL, intensity=9
    )
    paper.start()
    paper.crash("b")
    paper.settle()
    paper.crash("b")
    paper.settle()
    assert (paper.status("a"), paper.status("b")) == ("running", "quarantined")


# --- S12: folding up ---


def lead(id: str, restart: Restart = Restart.TRANSIENT) -> ChildSpec:
    return child(id, restart, significant=True)


def test_any_significant_child_folds_the_team_up() -> None:
    """S12: when its lead finishes, the team ends, in order, and well."""
    paper = Paper(child("a"), lead("b"), lead("c"), child("d"), auto_shutdown=AutoShutdown.ANY_SIGNIFICANT)
    paper.start()
    paper.finish("b")
    paper.settle()
    assert paper.log == ["halt d", "halt c", "halt a"]
    assert paper.ended == Finished()


def test_all_significant_children_fold_the_team_up_together() -> None:
    """S12: the last of them does."""
    paper = Paper(child("a"), lead("b"), lead("c", Restart.TEMPORARY), auto_shutdown=AutoShutdown.ALL_SIGNIFICANT)
    paper.start()
    paper.finish("b")
    paper.settle()
    assert paper.log == []
    paper.crash("c")
    paper.settle()
    assert paper.ended == Finished()


@pytest.mark.parametrize("verb", ["stop", "kill", "restart", "remove"])
def test_what_a_person_does_to_a_significant_child_folds_nothing_up(verb: str) -> None:
    """S12, S13: only its own end does."""
    paper = Paper(child("a"), lead("b"), auto_shutdown=AutoShutdown.ANY_SIGNIFICANT)
    paper.start()
    paper.order(verb, "b")
    paper.settle()
    assert paper.ended is None
    assert paper.status("a") == "running"


def test_a_significant_child_that_will_come_back_folds_nothing_up() -> None:
    """S12: a crash of a transient lead is not its end."""
    paper = Paper(lead("a"), auto_shutdown=AutoShutdown.ANY_SIGNIFICANT)
    paper.start()
    paper.crash("a")
    paper.settle()
    assert paper.ended is None


# --- S5: limits ---


def test_a_late_stop_is_cancelled_then_cut_short_then_left_behind() -> None:
    """S5: shutdown_s to stop, one limit to clean up, one to react; then it is reported and waited for no longer."""
    paper = Paper(child("a", shutdown_s=2.0), kill_limit_s=5.0)
    paper.start()
    paper.order("stop", "a")
    steps = []
    while not paper.settled:
        paper.tick()
        steps.append((paper.now, paper.log[-1]))
    assert steps == [(2.0, "kill a"), (7.0, "kill a"), (12.0, "kill a")]
    assert paper.leaked == [("a", 1)]
    names = [type(e) for e in paper.events]
    assert names[1:] == [StoppedLate, ChildLeaked, type(paper.events[3]), ChildStopped]


def test_a_clean_up_of_its_own_has_the_same_limit() -> None:
    """S5: a crashed child that does not come to its end is cancelled, too, and then restarted."""
    paper = Paper(child("a", shutdown_s=2.0))
    paper.start()
    paper.take(paper.core.ending("a", 1, Failed(ERROR), paper.instant))
    assert paper.status("a") == "stopping"
    paper.tick()
    assert paper.log == ["kill a"]
    paper.obey("a")
    assert paper.log == ["kill a", "launch a"]


def test_zero_seconds_kill_at_once() -> None:
    """S1: shutdown 0."""
    paper = Paper(child("a", shutdown_s=0.0))
    paper.start()
    paper.order("stop", "a")
    assert paper.log == ["kill a"]


def test_killing_the_supervisor_kills_all_at_once() -> None:
    """S5: a supervisor that is killed has no time for courtesy."""
    paper = Paper(child("a"), child("b"))
    paper.start()
    paper.take(paper.core.shutdown(Killed(), paper.instant))
    assert paper.log == ["kill b", "kill a"]


# --- orders ---


def test_an_operator_overtakes_every_phase() -> None:
    """S7: starting, backing off, stopping: a stop is done as soon as the child is down."""
    slow = Backoff(immediate=0, base_s=60.0)
    paper = Paper(child("a", backoff=slow), child("b"), child("c"))
    paper.take(paper.core.start(paper.instant))
    paper.order("stop", "a", "while starting")
    assert paper.log == ["launch a", "halt a", "launch b"]
    paper.settle()
    assert paper.ready
    paper.order("resume", "a", "again")
    paper.settle()
    paper.crash("a")
    paper.order("kill", "a", "while backing off")
    assert paper.status("a") == "stopped"
    paper.order("stop", "b", "slowly")
    paper.order("kill", "b", "at once")
    assert paper.log[-2:] == ["halt b", "kill b"]
    paper.settle()
    assert paper.settled == dict.fromkeys(("while starting", "again", "while backing off", "slowly", "at once"))


def test_the_later_order_wins() -> None:
    """A start that is overtaken by a stop tells so; a stop overtaken by a start is still done first."""
    paper = Paper(child("a"))
    paper.start()
    paper.order("restart", "a", "restart")
    paper.order("stop", "a", "stop")
    paper.order("resume", "a", "resume")
    paper.settle()
    assert getattr(paper.settled["restart"], "code", None) == "superseded"
    assert paper.settled["stop"] is None
    assert paper.settled["resume"] is None
    assert paper.status("a") == "running"


def test_adding_a_child_that_cannot_start_leaves_no_trace() -> None:
    """start_child raises the child's own error, and the id is free again."""
    paper = Paper()
    paper.start()
    paper.take(paper.core.add("add", child("x"), paper.instant))
    paper.crash("x")
    assert paper.settled == {"add": ERROR}
    assert paper.core.children() == ()


def test_resuming_a_child_that_cannot_start_goes_on_trying() -> None:
    """The person gets the first attempt's error; the supervisor goes on as after any failed start."""
    paper = Paper(child("a", backoff=Backoff(jitter=0.0, immediate=0)))
    paper.start()
    paper.order("stop", "a")
    paper.settle()
    paper.order("resume", "a")
    paper.crash("a")
    assert paper.settled["resume", "a"] is ERROR
    assert paper.status("a") == "waiting"


def test_unknown_and_duplicate_children_are_refused() -> None:
    """Each order has an answer."""
    paper = Paper(child("a"))
    paper.start()
    for verb in ("stop", "kill", "resume", "restart", "remove"):
        paper.order(verb, "x")
    paper.take(paper.core.add("again", child("a", backoff=NO_BACKOFF), paper.instant))
    assert {getattr(error, "code", None) for error in paper.settled.values()} == {"no_such_actor", "duplicate_child"}


def test_nothing_starts_once_the_supervisor_stops() -> None:
    """Orders to start are refused, orders to stop still answered."""
    paper = Paper(child("a"), child("b"))
    paper.start()
    paper.take(paper.core.shutdown(Finished(), paper.instant))
    paper.order("resume", "a", "resume")
    paper.take(paper.core.add("add", child("c"), paper.instant))
    paper.order("stop", "a", "stop")
    paper.settle()
    assert [getattr(paper.settled[o], "code", None) for o in ("resume", "add", "stop")] == ["actor_died"] * 2 + [None]


def test_a_child_added_again_goes_on_counting() -> None:
    """S6: so that a late report of the removed one is nobody's."""
    paper = Paper(child("a"))
    paper.start()
    paper.order("remove", "a")
    paper.settle()
    paper.take(paper.core.add("again", child("a"), paper.instant))
    assert paper.live == {"a": 2}


def test_what_is_remembered_of_removed_children_is_bounded() -> None:
    """The generations of the latest ones, however many came and went."""
    paper = Paper(child("a"))
    paper.start()
    for number in range(FORGOTTEN + 10):
        paper.take(paper.core.add(number, child(f"c{number}"), paper.instant))
        paper.order("remove", f"c{number}")
        paper.settle()
    assert len(paper.core._generations) == FORGOTTEN
    paper.take(paper.core.add("latest", child(f"c{FORGOTTEN + 9}"), paper.instant))
    paper.take(paper.core.add("first", child("c0"), paper.instant))
    paper.settle()
    assert paper.live == {"a": 1, f"c{FORGOTTEN + 9}": 2, "c0": 1}


def test_resuming_a_child_that_is_about_to_stop_with_its_group_waits_for_the_next() -> None:
    """The order is done when the child is up for good, not while its end is only a matter of turn."""
    paper = Paper(child("a"), child("b"), child("c"), strategy=Strategy.ONE_FOR_ALL)
    paper.start()
    paper.crash("a")
    assert paper.log == ["halt c"]
    paper.order("resume", "b")
    assert paper.settled == {}
    paper.settle()
    assert paper.settled == {("resume", "b"): None}
    assert paper.live["b"] == 2


def test_an_end_without_notice_counts_the_same() -> None:
    """S13: `Stopped` is a person's, also when it comes without the word that the child is about to end."""
    paper = Paper(child("a"))
    paper.start()
    paper.live.clear()
    paper.take(paper.core.exited("a", 1, Stopped(), paper.instant))
    assert paper.status("a") == "stopped"
