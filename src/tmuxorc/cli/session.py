"""Commands about the tmux sessions of the teams."""

from typing import Annotated

from tmuxorc.cli._app import App
from tmuxorc.cli._attach import Attachment, attachment, hand_over
from tmuxorc.cli._declare import Opt, command
from tmuxorc.cli._options import TeamTarget
from tmuxorc.wire.methods import SESSION_ATTACH, SESSION_LIST, Empty, SessionList, TeamName


@command("tmux-orc session list")
async def list_sessions(app: App) -> SessionList:
    """List our tmux sessions."""
    return await app.call(SESSION_LIST, Empty())


@command("tmux-orc session attach main", act=hand_over)
async def attach(
    app: App,
    team: TeamTarget,
    *,
    read_only: Annotated[bool, Opt("--read-only", "-r", help="Look, but let no key through.", local=True)] = False,
) -> Attachment:
    """Hand the terminal to a team's session.

    Leave it with tmux's detach key (C-b d). With --json nothing is attached: the answer says where to attach.
    """
    return attachment(await app.call(SESSION_ATTACH, TeamName(team=team)), read_only=read_only)
