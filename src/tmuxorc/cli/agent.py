"""Commands about agents."""

from typing import Annotated, Literal

from tmuxorc.cli import _complete, _read
from tmuxorc.cli._app import App
from tmuxorc.cli._attach import Attachment, attachment, hand_over
from tmuxorc.cli._declare import Arg, Opt, command
from tmuxorc.cli._options import AgentTarget, Grace, Timeout
from tmuxorc.model import AgentSpec, AgentState, AgentView, Restart
from tmuxorc.names import check_name
from tmuxorc.wire.methods import (
    AGENT_ADOPT,
    AGENT_ATTACH,
    AGENT_INFO,
    AGENT_KEYS,
    AGENT_KILL,
    AGENT_LIST,
    AGENT_REMOVE,
    AGENT_RESTART,
    AGENT_SCREEN,
    AGENT_SPAWN,
    AGENT_START,
    AGENT_STOP,
    AGENT_WAIT,
    Adopt,
    AgentList,
    Done,
    ListAgents,
    ReadScreen,
    Screen,
    SendKeys,
    Spawn,
    StopAgent,
    Target,
    WaitAgent,
)

STOP_S = 120.0
"""How long a stop in order may take before the client gives up on the answer."""

PLAIN = AgentSpec(name="plain")
"""An agent of which nothing is said: where defaults come from."""

KindOption = Annotated[
    str, Opt("--kind", "-k", metavar="KIND", help="What kind of agent it is.", complete=_complete.kinds)
]
TeamOption = Annotated[str, Opt("--team", "-t", metavar="TEAM", help="The team.", complete=_complete.teams)]


@command(
    "tmux-orc spawn alice --kind demo --wait ready",
    "tmux-orc spawn build --cwd ~/src/app --restart permanent -- make watch",
    render="acted",
)
async def spawn(
    app: App,
    name: Annotated[str, Arg(metavar="NAME", help="The agent's name.")],
    command: Annotated[tuple[str, ...], Arg(metavar="[COMMAND]...", help="What to run; else the kind's own.")] = (),
    *,
    kind: KindOption = PLAIN.kind,
    team: TeamOption = PLAIN.team,
    cwd: Annotated[
        str | None,
        Opt("--cwd", "-C", metavar="DIR", read=_read.absolute, help="Where it runs; else here.", complete="dir"),
    ] = None,
    env: Annotated[
        dict[str, str] | None,
        Opt(
            "--env",
            "-e",
            metavar="KEY[=VALUE]",
            read=_read.key_value,
            help="Set a variable for it, or hand on yours: KEY alone keeps a secret out of ps; may be repeated.",
        ),
    ] = None,
    brief: Annotated[
        str,
        Opt("--brief", metavar="TEXT|@FILE", read=_read.text_or_file, help="Its first message."),
    ] = "",
    role: Annotated[str, Opt("--role", metavar="ROLE", help="A word on what it is for, shown in lists.")] = "",
    restart: Annotated[Restart, Opt("--restart", help="When it comes back by itself.")] = PLAIN.restart,
    shutdown_s: Annotated[
        float | None,
        Opt(
            "--shutdown",
            metavar="TIME",
            read=_read.seconds,
            help="How long it may take to stop before it is killed; else as configured.",
        ),
    ] = None,
    significant: Annotated[bool, Opt("--significant", help="The team may fold up when it finishes.")] = False,
    wait: Annotated[
        Literal["ready"] | None, Opt("--wait", help="Answer when it is ready, not when it has started.")
    ] = None,
    timeout_s: Timeout = 60.0,
) -> AgentView:
    """Start one agent.

    It runs in a pane of its own, under supervision, until it is stopped. Kind 'command' runs the COMMAND given; other
    kinds have a program of their own.
    """
    check_name(name)
    spec = AgentSpec(
        name=name,
        team=check_name(team, "team"),
        kind=kind,
        command=command,
        cwd=app.cwd if cwd is None else cwd,
        env=env or {},
        path=app.search_path,
        brief=brief,
        role=role,
        restart=restart,
        significant=significant,
        shutdown_s=shutdown_s,
    )
    return await app.wait(AGENT_SPAWN, Spawn(spec=spec, wait=wait, timeout_s=timeout_s), wait_s=timeout_s)


@command("tmux-orc list", "tmux-orc list --team review --state blocked --state limited", "tmux-orc list --json")
async def list_agents(
    app: App,
    *,
    team: Annotated[
        str | None, Opt("--team", "-t", metavar="TEAM", help="Only this team.", complete=_complete.teams)
    ] = None,
    state: Annotated[tuple[AgentState, ...], Opt("--state", "-s", metavar="STATE", help="Only these states.")] = (),
) -> AgentList:
    """List the agents.

    States: starting idle busy blocked limited failed exited unknown.
    """
    return await app.call(AGENT_LIST, ListAgents(team=team, states=state))


@command("tmux-orc agent info alice", "tmux-orc agent info review/lead --json")
async def info(app: App, target: AgentTarget) -> AgentView:
    """Show everything about one agent."""
    return await app.call(AGENT_INFO, Target(target=target))


@command("tmux-orc screen alice", "tmux-orc screen alice --ansi --history 200 | less -R")
async def screen(
    app: App,
    target: AgentTarget,
    *,
    ansi: Annotated[bool, Opt("--ansi", help="Keep colours, as escape sequences.")] = False,
    history: Annotated[int, Opt("--history", metavar="N", help="With so many lines of scrollback above.")] = 0,
) -> Screen:
    """Print an agent's pane as it is.

    On a terminal blank lines in a row are one, and rules are as wide as the terminal.
    """
    return await app.call(AGENT_SCREEN, ReadScreen(target=target, ansi=ansi, history=history))


@command("tmux-orc agent keys alice C-c", "tmux-orc agent keys alice --literal 'yes, do'")
async def keys(
    app: App,
    target: AgentTarget,
    keys: Annotated[tuple[str, ...], Arg(metavar="KEY...", help="Keys by tmux's names: Enter, C-c, Escape, y.")],
    *,
    literal: Annotated[bool, Opt("--literal", "-l", help="Type the words as they are.")] = False,
) -> Done:
    """Press keys in an agent's pane.

    They go to the program at once, whatever it shows; to say something to an agent use send.
    """
    return await app.call(AGENT_KEYS, SendKeys(target=target, keys=keys, literal=literal))


@command(
    "tmux-orc wait alice --state idle", "tmux-orc wait alice --state idle --state blocked --timeout 10m", render="acted"
)
async def wait(
    app: App,
    target: AgentTarget,
    *,
    state: Annotated[
        tuple[AgentState, ...], Opt("--state", "-s", metavar="STATE", help="A state to wait for; may be repeated.")
    ] = (AgentState.IDLE,),
    timeout_s: Timeout = 60.0,
) -> AgentView:
    """Wait until an agent is in one of some states.

    Ends with status 6 when the time is over first.
    """
    return await app.wait(AGENT_WAIT, WaitAgent(target=target, states=state, timeout_s=timeout_s), wait_s=timeout_s)


@command("tmux-orc agent start alice", render="acted")
async def start(app: App, target: AgentTarget) -> AgentView:
    """Start a stopped agent, or one in quarantine."""
    return await app.wait(AGENT_START, Target(target=target), wait_s=STOP_S)


@command("tmux-orc agent stop alice", "tmux-orc agent stop alice --grace 30s", render="acted")
async def stop(app: App, target: AgentTarget, *, grace_s: Grace = None) -> AgentView:
    """Stop an agent in order; it stays stopped."""
    return await app.wait(AGENT_STOP, StopAgent(target=target, grace_s=grace_s), wait_s=STOP_S + (grace_s or 0))


@command("tmux-orc agent restart alice", render="acted")
async def restart(app: App, target: AgentTarget, *, grace_s: Grace = None) -> AgentView:
    """Stop an agent in order and start it again."""
    return await app.wait(AGENT_RESTART, StopAgent(target=target, grace_s=grace_s), wait_s=STOP_S + (grace_s or 0))


@command("tmux-orc agent kill alice", render="acted")
async def kill(app: App, target: AgentTarget) -> AgentView:
    """Kill an agent at once; it stays stopped."""
    return await app.call(AGENT_KILL, Target(target=target))


@command("tmux-orc agent remove alice")
async def remove(app: App, target: AgentTarget, *, grace_s: Grace = None) -> Done:
    """Stop an agent and forget it."""
    return await app.wait(AGENT_REMOVE, StopAgent(target=target, grace_s=grace_s), wait_s=STOP_S + (grace_s or 0))


@command("tmux-orc attach alice", "tmux-orc attach alice --read-only", act=hand_over)
async def attach(
    app: App,
    target: AgentTarget,
    *,
    read_only: Annotated[bool, Opt("--read-only", "-r", help="Look, but let no key through.", local=True)] = False,
) -> Attachment:
    """Hand the terminal to an agent's pane.

    Leave it with tmux's detach key (C-b d). With --json nothing is attached: the answer says where to attach.
    """
    return attachment(await app.call(AGENT_ATTACH, Target(target=target)), read_only=read_only)


@command(
    "tmux-orc agent adopt %12 --name logs",
    "tmux-orc agent adopt %3 --name shell --kind shell --team ops",
    render="acted",
)
async def adopt(
    app: App,
    pane: Annotated[str, Arg(metavar="PANE", help="The pane's id on our tmux server: %12.")],
    *,
    name: Annotated[
        str | None, Opt("--name", "-n", metavar="NAME", help="The agent's name; else pane-12 for %12.")
    ] = None,
    team: TeamOption = PLAIN.team,
    kind: KindOption = PLAIN.kind,
    restart: Annotated[Restart, Opt("--restart", help="When it comes back by itself.")] = Restart.TEMPORARY,
) -> AgentView:
    """Take over a pane that already runs.

    The pane must be on the instance's own tmux server. Nothing is typed into it.
    """
    name = check_name(name or f"pane-{pane.removeprefix('%')}")
    params = Adopt(pane=pane, name=name, team=check_name(team, "team"), kind=kind, restart=restart)
    return await app.call(AGENT_ADOPT, params)
