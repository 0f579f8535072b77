"""Requests that race: each has one outcome, and what is left is one of the orders they could have come in."""

from collections.abc import Callable

from tests.tmux.supervisor._orc import SLEEP, Orc, alive
from tmuxorc.errors import RemoteError
from tmuxorc.model import AgentView, Desired, TeamSpec
from tmuxorc.wire import methods as m


def test_ten_spawns_at_once_make_their_team_and_ten_agents(orc: Orc) -> None:
    outcomes = orc.all_at_once([lambda n=n: orc.spawn(f"a{n}", *SLEEP) for n in range(10)])
    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
    assert all(alive(view.pid) for view in orc.agents().values())
    assert len(orc.agents()) == 10
    assert len(orc.call(m.TEAM_LIST, m.Empty()).teams) == 1


def test_one_of_many_spawns_of_one_name_wins(orc: Orc) -> None:
    outcomes = orc.all_at_once([lambda: orc.spawn("same", *SLEEP)] * 5)
    won = [outcome for outcome in outcomes if isinstance(outcome, AgentView)]
    lost = [outcome for outcome in outcomes if isinstance(outcome, RemoteError)]
    assert (len(won), len(lost)) == (1, 4)
    assert {error.code for error in lost} == {"name_taken"}
    assert orc.info("same").pid == won[0].pid
    assert alive(won[0].pid)


def test_one_of_many_teams_of_one_name_wins(orc: Orc) -> None:
    create = m.CreateTeam(spec=TeamSpec(name="crew"))
    outcomes = orc.all_at_once([lambda: orc.call(m.TEAM_CREATE, create)] * 5)
    assert sorted(getattr(outcome, "code", "made") for outcome in outcomes) == ["made", *["name_taken"] * 4]
    assert alive(orc.spawn("a", *SLEEP, team="crew").pid)


def test_stops_starts_restarts_and_a_removal_at_once_leave_one_of_the_possible_ends(orc: Orc) -> None:
    orc.spawn("alice", *SLEEP)
    acts: list[Callable[[], object]] = [
        lambda: orc.stop("alice"),
        lambda: orc.start("alice"),
        lambda: orc.restart("alice"),
        lambda: orc.start("alice"),
        lambda: orc.stop("alice"),
        lambda: orc.restart("alice"),
    ]
    outcomes = orc.all_at_once(acts)
    lost = {getattr(outcome, "code", "?") for outcome in outcomes if isinstance(outcome, Exception)}
    assert lost <= {"superseded", "actor_died"}
    view = orc.info("alice")
    if view.desired is Desired.RUNNING and not alive(view.pid):
        # The order that came last was overtaken by none, but its asker was told of the end of an earlier one.
        view = orc.await_generation("main/alice", view.generation + 1)
    assert alive(view.pid) is (view.desired is Desired.RUNNING)
    orc.remove("alice")
    assert orc.agents() == {}


def test_two_applies_at_once_end_as_one_of_them(orc: Orc) -> None:
    spec = TeamSpec(name="crew")
    files = [[orc.spec(name, *SLEEP, team="crew") for name in names] for names in ("ab", "bc")]
    outcomes = orc.all_at_once([lambda agents=agents: orc.apply(spec, *agents) for agents in files])
    lost = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert len(lost) < 2
    assert {outcome.code for outcome in lost if isinstance(outcome, RemoteError)} <= {"under_way"}
    assert list(orc.agents()) in (["crew/a", "crew/b"], ["crew/b", "crew/c"])
    assert all(alive(view.pid) for view in orc.agents().values())
