"""Teams for people."""

from tmuxorc.cli.render._agents import agents_table
from tmuxorc.cli.render._text import Cell, clock, counts, fields, many, paint, table
from tmuxorc.model import AutoShutdown, TeamView
from tmuxorc.wire.methods import Plan, PlanStep, TeamDetail, TeamList

MARKS = {"create": ("+", "green"), "restart": ("~", "yellow"), "update": ("~", "yellow")}
REMOVE = ("-", "red")


def team_list(result: TeamList) -> str:
    """One line a team."""
    if not result.teams:
        return "no teams; make one with: tmux-orc team create NAME"
    head = ("TEAM", "STRATEGY", "DESIRED", "AGENTS", "STATES")
    return table(head, map(_row, result.teams), flexible=("STATES",))


def _row(team: TeamView) -> tuple[Cell | str, ...]:
    return (
        Cell(team.name, "bold"),
        team.strategy.value,
        team.desired.value,
        str(len(team.agents)),
        counts(team.states) if team.agents else "",
    )


def team(result: TeamView) -> str:
    """Everything about one team but its agents."""
    folds = result.auto_shutdown is not AutoShutdown.NEVER
    return fields(
        (
            ("team", result.name),
            ("strategy", result.strategy.value),
            ("limit", f"{many(result.intensity, 'restart')} in {result.period_s:g} s"),
            ("folds up", result.auto_shutdown.value if folds else ""),
            ("desired", result.desired.value),
            ("session", result.session),
            ("agents", counts(result.states)),
            ("created", clock(result.created_at)),
        )
    )


def team_detail(result: TeamDetail) -> str:
    """A team and its agents."""
    below = agents_table(result.agents) if result.agents else "no agents in it"
    return f"{team(result.team)}\n\n{below}"


def plan(result: Plan) -> str:
    """The steps taken, or that would be."""
    steps = [step for step in result.steps if step.action != "keep"]
    if not steps:
        return f"team {result.team}: nothing to do, it is as the file says"
    said = "done" if result.applied else "to do; without --dry-run they are done"
    return "\n".join([*map(_step, steps), f"team {result.team}: {many(len(steps), 'step')} {said}"])


def _step(step: PlanStep) -> str:
    mark, colour = MARKS.get(step.action, REMOVE)
    why = f"  ({step.why})" if step.why else ""
    return paint(f"{mark} {step.action} {step.subject}{why}", colour)
