"""What `apply` would do: only what differs, in an order in which it can be done."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.domain._roster import Story
from tmuxorc.actors.plan import make_plan
from tmuxorc.model import AgentSpec, Restart, Strategy, TeamSpec

CREW = TeamSpec(name="crew")


def spec(name: str, **fields: Any) -> AgentSpec:
    return AgentSpec(name=name, team="crew", **fields)


def plan(story: Story, *agents: AgentSpec, team: TeamSpec = CREW) -> list[str]:
    return [f"{step.action} {step.subject}" for step in make_plan(story.roster, team, agents)]


def running(*names: str, **fields: Any) -> Story:
    story = Story()
    story.team("crew")
    for name in names:
        story.agent(f"crew/{name}", **fields)
    return story


def test_a_new_team_is_made_before_its_agents_in_the_files_order() -> None:
    assert plan(Story(), spec("b"), spec("a")) == ["create crew", "create crew/b", "create crew/a"]


def test_what_is_as_in_the_file_is_kept() -> None:
    assert plan(running("a", "b"), spec("a"), spec("b")) == ["keep crew", "keep crew/a", "keep crew/b"]


def test_what_is_not_in_the_file_goes_first_and_last_to_first() -> None:
    assert plan(running("a", "b", "c"), spec("b")) == ["keep crew", "remove crew/c", "remove crew/a", "keep crew/b"]


def test_agents_of_other_teams_are_no_business_of_the_file() -> None:
    story = running("a")
    story.team("other")
    story.agent("other/x")
    assert plan(story, spec("a")) == ["keep crew", "keep crew/a"]


def test_only_what_says_what_the_process_is_restarts_it() -> None:
    for change in ({"command": ("x",)}, {"kind": "shell"}, {"cwd": "/tmp"}, {"env": {"A": "b"}}):
        assert plan(running("a"), spec("a", **change)) == ["keep crew", "restart crew/a"]
    for change in (
        {"brief": "go"},
        {"role": "x"},
        {"restart": Restart.TEMPORARY},
        {"shutdown_s": 1},
        {"significant": True},
    ):
        assert plan(running("a"), spec("a", **change)) == ["keep crew", "update crew/a"]


def test_another_shells_path_changes_nothing() -> None:
    assert plan(running("a", path="/usr/bin"), spec("a", path="/opt/bin")) == ["keep crew", "keep crew/a"]


def test_a_change_of_policy_names_what_changed() -> None:
    steps = make_plan(running().roster, TeamSpec(name="crew", strategy=Strategy.ONE_FOR_ALL, intensity=3), ())
    assert [(step.action, step.why) for step in steps] == [("update", "strategy, intensity changed")]


@given(st.lists(st.sampled_from("abcdef"), unique=True), st.lists(st.sampled_from("abcdef"), unique=True))
def test_a_plan_that_was_carried_out_leaves_nothing_to_do(before: list[str], wanted: list[str]) -> None:
    story = running(*before)
    for step in make_plan(story.roster, CREW, [spec(name) for name in wanted]):
        if step.action == "remove":
            story.tell("agent.removed", step.subject)
        elif step.action == "create":
            story.agent(step.subject)
    assert set(story.roster.agents) == {f"crew/{name}" for name in wanted}
    assert plan(story, *(spec(name) for name in wanted)) == ["keep crew", *(f"keep crew/{name}" for name in wanted)]
