"""The command about kinds of agents; apart from the others, so that none of them pays for what it imports."""

from typing import Annotated

from tmuxorc.cli._app import App
from tmuxorc.cli._declare import Opt, command
from tmuxorc.cli._kinds import PATIENCE_S, KindList, view_kinds


@command("tmux-orc agent kinds", "tmux-orc agent kinds --no-versions --json | jq -r '.kinds[].name'")
async def kinds(
    app: App,
    *,
    no_versions: Annotated[bool, Opt("--no-versions", help="Run no program to learn its version.")] = False,
) -> KindList:
    """List the kinds of agents, and which are installed.

    Each program found is asked for its version, all at once. Rules are proved on the versions known; a newer one may
    draw another screen, and what no rule knows is then 'unknown'. Needs no supervisor.
    """
    from tmuxorc.agents.kinds import load_kinds

    found = load_kinds(app.paths.kinds_dir)
    return view_kinds(found, app.search_path, versions=not no_versions, patience_s=PATIENCE_S)
