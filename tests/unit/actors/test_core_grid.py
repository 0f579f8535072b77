"""The grid of OTP's own suite: every restart type, every exit, every strategy, and what must come of it."""

import pytest

from tests.unit.actors._world import ERROR, Paper, child
from tmuxorc.actors import ExitReason, Failed, Finished, Killed, Restart, StartFailed, Stopped, Strategy

EXITS: tuple[ExitReason, ...] = (Finished(), Stopped(), Failed(ERROR), Killed(), StartFailed(ERROR))
COMES_BACK = {
    (Restart.PERMANENT, Finished),
    (Restart.PERMANENT, Failed),
    (Restart.PERMANENT, Killed),
    (Restart.PERMANENT, StartFailed),
    (Restart.TRANSIENT, Failed),
    (Restart.TRANSIENT, Killed),
    (Restart.TRANSIENT, StartFailed),
}
GROUPS = {
    Strategy.ONE_FOR_ONE: ["launch b"],
    Strategy.REST_FOR_ONE: ["halt d", "halt c", "launch b", "launch c", "launch d"],
    Strategy.ONE_FOR_ALL: ["halt d", "halt c", "halt a", "launch a", "launch b", "launch c", "launch d"],
}


@pytest.mark.parametrize("strategy", Strategy)
@pytest.mark.parametrize("restart", Restart)
@pytest.mark.parametrize("reason", EXITS, ids=lambda reason: reason.name)
def test_what_comes_of_an_exit(strategy: Strategy, restart: Restart, reason: ExitReason) -> None:
    """S2, S3, S8, S13: who restarts with whom, in which order, after which exit."""
    paper = Paper(child("a"), child("b", restart), child("c"), child("d"), strategy=strategy)
    paper.start()
    paper.end("b", reason)
    paper.settle()
    restarts = (restart, type(reason)) in COMES_BACK
    assert paper.log == (GROUPS[strategy] if restarts else [])
    rest = "running" if restarts else "stopped" if isinstance(reason, Stopped) else "exited"
    assert [info.status.value for info in paper.core.children()] == ["running", rest, "running", "running"]
    assert [info.generation for info in paper.core.children()] == [1 + paper.log.count(f"launch {i}") for i in "abcd"]


@pytest.mark.parametrize("strategy", [Strategy.REST_FOR_ONE, Strategy.ONE_FOR_ALL])
@pytest.mark.parametrize("restart", Restart)
def test_group_restart_revives_only_what_s2_allows(strategy: Strategy, restart: Restart) -> None:
    """S8: a temporary member is stopped with its group and stays down; the others come back."""
    paper = Paper(child("a"), child("b", restart), strategy=strategy)
    paper.start()
    paper.crash("a")
    paper.settle()
    assert paper.status("a") == "running"
    assert paper.status("b") == ("exited" if restart is Restart.TEMPORARY else "running")


@pytest.mark.parametrize("strategy", [Strategy.REST_FOR_ONE, Strategy.ONE_FOR_ALL])
def test_group_restart_does_not_revive_what_had_ended(strategy: Strategy) -> None:
    """S2, S8: unlike OTP, a transient child that had finished stays down when its group restarts."""
    paper = Paper(child("a"), child("b", Restart.TRANSIENT), child("c"), strategy=strategy)
    paper.start()
    paper.finish("b")
    paper.crash("a")
    paper.settle()
    assert paper.log == ["halt c", "launch a", "launch c"]
    assert paper.status("b") == "exited"


@pytest.mark.parametrize("strategy", [Strategy.REST_FOR_ONE, Strategy.ONE_FOR_ALL])
def test_group_restart_leaves_stopped_children_stopped(strategy: Strategy) -> None:
    """S7: what an operator stopped stays stopped through a group restart, until started again."""
    paper = Paper(child("a"), child("b"), child("c"), strategy=strategy)
    paper.start()
    paper.order("stop", "b")
    paper.settle()
    paper.log.clear()
    paper.crash("a")
    paper.settle()
    assert paper.log == ["halt c", "launch a", "launch c"]
    paper.order("resume", "b")
    paper.settle()
    assert paper.status("b") == "running"


def test_members_that_crash_while_their_group_stops_are_not_counted() -> None:
    """S13: what fails because its dependency went is no failure of its own."""
    paper = Paper(child("a"), child("b"), child("c"), strategy=Strategy.REST_FOR_ONE, intensity=1)
    paper.start()
    paper.crash("a")
    paper.crash("c")
    paper.crash("b")
    paper.settle()
    assert paper.ended is None
    assert [info.status.value for info in paper.core.children()] == ["running"] * 3
    assert [e.id for e in paper.events if type(e).__name__ == "RestartScheduled"] == ["a"]
