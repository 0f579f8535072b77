"""Commands about teams."""

from typing import Annotated

from tmuxorc.cli import _read
from tmuxorc.cli._app import App
from tmuxorc.cli._declare import Arg, Opt, command
from tmuxorc.cli._options import MessageText, Sender, TeamTarget, TextFile, Timeout, WaitRung
from tmuxorc.cli._progress import Steps
from tmuxorc.cli.agent import STOP_S
from tmuxorc.cli.message import one_text, send_to, sent_status
from tmuxorc.model import AutoShutdown, Strategy, TeamSpec, TeamView
from tmuxorc.names import check_name
from tmuxorc.wire.methods import (
    TEAM_APPLY,
    TEAM_CREATE,
    TEAM_LIST,
    TEAM_REMOVE,
    TEAM_START,
    TEAM_STATUS,
    TEAM_STOP,
    CreateTeam,
    Done,
    Empty,
    Plan,
    SendMessage,
    Sent,
    TeamDetail,
    TeamList,
    TeamName,
)

PLAIN = TeamSpec(name="plain")
"""A team of which nothing is said: where defaults come from."""

APPLY_S = 600.0
"""How long a whole team may take to be made so."""


@command("tmux-orc team create review", "tmux-orc team create pipeline --strategy rest_for_one --intensity 3")
async def create(
    app: App,
    team: Annotated[str, Arg(metavar="TEAM", help="The new team's name.")],
    *,
    strategy: Annotated[Strategy, Opt("--strategy", help="Who restarts together.")] = PLAIN.strategy,
    intensity: Annotated[
        int, Opt("--intensity", metavar="N", help="More restarts than this within the period stop the team.")
    ] = PLAIN.intensity,
    period_s: Annotated[
        float, Opt("--period", metavar="TIME", read=_read.seconds, help="The period restarts are counted in.")
    ] = PLAIN.period_s,
    auto_shutdown: Annotated[
        AutoShutdown, Opt("--auto-shutdown", help="When the team folds up because significant agents finished.")
    ] = PLAIN.auto_shutdown,
) -> TeamView:
    """Make an empty team."""
    spec = TeamSpec(
        name=check_name(team, "team"),
        strategy=strategy,
        intensity=intensity,
        period_s=period_s,
        auto_shutdown=auto_shutdown,
    )
    return await app.call(TEAM_CREATE, CreateTeam(spec=spec))


@command("tmux-orc team list")
async def list_teams(app: App) -> TeamList:
    """List the teams."""
    return await app.call(TEAM_LIST, Empty())


@command("tmux-orc team status review")
async def status(app: App, team: TeamTarget) -> TeamDetail:
    """Show a team and its agents."""
    return await app.call(TEAM_STATUS, TeamName(team=team))


@command("tmux-orc team broadcast review 'Stop and commit what you have'", render="sent", status=sent_status)
async def broadcast(
    app: App,
    team: TeamTarget,
    text: MessageText = None,
    *,
    file: TextFile = None,
    sender: Sender = "operator",
    wait: WaitRung = None,
    timeout_s: Timeout = 30.0,
) -> Sent:
    """Send a message to every agent of a team."""
    target = f"{check_name(team, 'team')}/*"
    params = SendMessage(target=target, text=one_text(text, file), sender=sender, wait=wait, timeout_s=timeout_s)
    return await send_to(app, params)


@command("tmux-orc team apply review.toml --dry-run", "tmux-orc team apply review.toml")
async def apply(
    app: App,
    file: Annotated[str, Arg(metavar="FILE", help="The team file (TOML); - reads standard input.", complete="file")],
    *,
    dry_run: Annotated[bool, Opt("--dry-run", "-n", help="Only say what would be done.")] = False,
) -> Plan:
    """Make a team what its file says, touching only what differs.

    Applying the same file twice does nothing the second time.
    """
    from tmuxorc.cli._teamfile import read_team

    params = read_team(file, cwd=app.cwd, search_path=app.search_path, dry_run=dry_run)
    steps = Steps()
    try:
        return await app.follow(TEAM_APPLY, params, steps.show, timeout_s=APPLY_S)
    finally:
        steps.close()


@command("tmux-orc team start review")
async def start(app: App, team: TeamTarget) -> TeamDetail:
    """Start a team's agents, in order.

    A stopped team comes back with the agents that ran in it; in a team that is not stopped, all its agents start.
    """
    return await app.wait(TEAM_START, TeamName(team=team), wait_s=STOP_S)


@command("tmux-orc team stop review")
async def stop(app: App, team: TeamTarget) -> TeamDetail:
    """Stop a team's agents, in reverse order."""
    return await app.wait(TEAM_STOP, TeamName(team=team), wait_s=APPLY_S)


@command("tmux-orc team remove review")
async def remove(app: App, team: TeamTarget) -> Done:
    """Stop a team and forget it with its agents."""
    return await app.wait(TEAM_REMOVE, TeamName(team=team), wait_s=APPLY_S)
