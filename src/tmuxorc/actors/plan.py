"""What differs between a team as it is and as a file wants it.  Pure: rosters and specs in, steps out."""

from collections.abc import Iterable

from tmuxorc.actors.roster import AgentRow, Roster
from tmuxorc.model import AgentSpec, TeamSpec
from tmuxorc.wire.methods import PlanStep

_PROCESS = ("kind", "command", "cwd", "env")
"""Fields that say what the process is: a change of any of them needs a new one."""

_NOT_COMPARED = ("path",)
"""The PATH of whoever applies the file is not part of the file: another shell must not restart the team."""


def make_plan(roster: Roster, team: TeamSpec, wanted: Iterable[AgentSpec]) -> tuple[PlanStep, ...]:
    """The steps in the order to take them: the team, removals last to first, then agents in the file's order."""
    specs = list(wanted)
    names = {spec.name for spec in specs}
    return (
        _team_step(roster, team),
        *(_remove_step(row) for row in reversed(roster.members(team.name)) if row.spec.name not in names),
        *(_agent_step(roster.agents.get(spec.address), spec) for spec in specs),
    )


def _remove_step(row: AgentRow) -> PlanStep:
    return PlanStep(action="remove", subject=row.spec.address, why="not in the file")


def _team_step(roster: Roster, team: TeamSpec) -> PlanStep:
    row = roster.teams.get(team.name)
    if row is None:
        return PlanStep(action="create", subject=team.name, why="there is no such team")
    changed = [field for field in TeamSpec.__struct_fields__ if getattr(row.spec, field) != getattr(team, field)]
    if changed:
        return PlanStep(action="update", subject=team.name, why=f"{', '.join(changed)} changed")
    return PlanStep(action="keep", subject=team.name, why="as in the file")


def _agent_step(row: AgentRow | None, spec: AgentSpec) -> PlanStep:
    if row is None:
        return PlanStep(action="create", subject=spec.address, why="there is no such agent")
    fields = [field for field in AgentSpec.__struct_fields__ if field not in _NOT_COMPARED]
    changed = [field for field in fields if getattr(row.spec, field) != getattr(spec, field)]
    if not changed:
        return PlanStep(action="keep", subject=spec.address, why="as in the file")
    action = "restart" if any(field in _PROCESS for field in changed) else "update"
    return PlanStep(action=action, subject=spec.address, why=f"{', '.join(changed)} changed")
