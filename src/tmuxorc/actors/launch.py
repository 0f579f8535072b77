"""From an agent's spec to the program in its pane: what is checked, what is run, and how a pane is told to be ours."""

import hashlib
import os

import msgspec

from tmuxorc.actors._place import Prepared, folder_of, prepare
from tmuxorc.actors.services import Services
from tmuxorc.agents import Kind, find_kind
from tmuxorc.channels import Place, channel_class
from tmuxorc.delivery import check_text
from tmuxorc.errors import UsageError
from tmuxorc.model import AgentSpec, Restart
from tmuxorc.names import check_name
from tmuxorc.nesting import OWN_PREFIX
from tmuxorc.tmux import PaneSpec, check_directory, find_program
from tmuxorc.tmux.process import foreground_pgid

MOST_GRACE_S = 3600.0
MOST_ENV_BYTES = 100_000


def check_spec(spec: AgentSpec, services: Services) -> AgentSpec:
    """Return `spec` complete and known to be runnable now; raise a `TmuxOrcError` that says what is wrong with it."""
    check_name(spec.name, "agent")
    check_name(spec.team, "team")
    kind = find_kind(services.kinds, spec.kind)
    if kind.launch.channel:
        channel_class(kind.launch.channel)  # not only once a process runs that nobody could then speak to
    _check_env(spec)
    check_grace(spec.shutdown_s)
    if spec.brief:
        check_text(spec.brief)
    if spec.significant and spec.restart is Restart.PERMANENT:
        raise UsageError(
            "a permanent agent never ends for good, so it cannot be significant", hint="give --restart transient"
        )
    complete = msgspec.structs.replace(spec, command=_command(spec, kind), path=spec.path or os.defpath)
    check_program(complete)
    return complete


def check_program(spec: AgentSpec) -> str:
    """The path of the agent's program; raises `ProgramNotFound` or `BadDirectory`."""
    check_directory(spec.cwd)
    return find_program(spec.command[0], path=spec.path, cwd=spec.cwd)


def check_grace(seconds: float | None) -> None:
    """Raise `UsageError` for a time to end that nobody can mean."""
    if seconds is not None and not 0 <= seconds <= MOST_GRACE_S:
        raise UsageError(
            f"the time to end is between 0 and {MOST_GRACE_S:.0f} seconds, not {seconds:g}",
            hint="for example 30; 0 ends it at once",
        )


def _command(spec: AgentSpec, kind: Kind) -> tuple[str, ...]:
    command = spec.command or kind.argv({**os.environ, **spec.env})
    if not command:
        raise UsageError(
            f"kind {spec.kind!r} has no command of its own", hint=f"for example: tmux-orc spawn {spec.name} -- COMMAND"
        )
    for word in (*command, spec.cwd, spec.path):
        if "\0" in word:
            raise UsageError("a command, directory or PATH cannot hold a NUL character", hint="leave it out")
    return command


def _check_env(spec: AgentSpec) -> None:
    for key, value in spec.env.items():
        if not key or "=" in key or "\0" in key + value:
            raise UsageError(f"{key!a} cannot be the name of an environment variable", hint="give --env NAME=VALUE")
    size = sum(len(os.fsencode(key)) + len(os.fsencode(value)) for key, value in spec.env.items())
    if size > MOST_ENV_BYTES:
        raise UsageError(
            f"the environment given is {size} bytes, at most {MOST_ENV_BYTES} are allowed",
            hint="put it into a file that the program reads",
        )


def spec_hash(spec: AgentSpec) -> str:
    """Names what a process was started as: two specs that start the same process have the same hash."""
    started_as = (spec.kind, spec.command, spec.cwd, sorted(spec.env.items()))
    return hashlib.blake2b(msgspec.json.encode(started_as), digest_size=8).hexdigest()


def prepared(services: Services, spec: AgentSpec) -> Prepared:
    """How the agent is to be started now, with its private files written.

    Raises `ProgramNotFound` or `BadDirectory` if the world changed since the spawn, `ConfigError` if nothing can be
    written.
    """
    kind, row = find_kind(services.kinds, spec.kind), services.roster.agents.get(spec.address)
    return prepare(services.paths, spec, kind, check_program(spec), "" if row is None else row.session)


def place_by_pid(services: Services, spec: AgentSpec, pid: int) -> Place | None:
    """Where an agent that a person started by hand can be reached, if its kind can be reached so; `pid` is its pane's.

    In the pane may run a shell, and the agent in its foreground.
    """
    kind = find_kind(services.kinds, spec.kind)
    if not kind.launch.by_pid:
        return None
    folder, own = folder_of(services.paths, spec.address), foreground_pgid(pid) or pid
    return Place(folder=folder, program=spec.command[0], cwd=spec.cwd, home="", pid=own)


def pane_spec(services: Services, spec: AgentSpec, generation: int, prepared: Prepared) -> PaneSpec:
    """What tmux is asked to run."""
    kind = find_kind(services.kinds, spec.kind)
    return PaneSpec(
        name=spec.name,
        argv=prepared.argv,
        cwd=spec.cwd,
        env={**kind.env.set, **prepared.env, **spec.env, "PATH": spec.path, **_own_variables(services, spec)},
        unset=tuple(name for name in kind.unset_in(services.inherited) if not name.startswith(OWN_PREFIX)),
        options=pane_options(services, spec, generation),
    )


def _own_variables(services: Services, spec: AgentSpec) -> dict[str, str]:
    return {
        "TMUX_ORC_INSTANCE": services.paths.instance,
        "TMUX_ORC_AGENT": spec.address,
        "TMUX_ORC_SOCKET": services.paths.socket,
        **dict([process_marker(services, spec.address)]),
    }


def process_marker(services: Services, address: str) -> tuple[str, str]:
    """The variable and value by which a process is known as this agent's, even after it left its tree.

    The socket's path is part of it: an agent of the same address in another instance is somebody else.
    """
    return "TMUX_ORC_ID", f"{services.paths.socket}#{address}"


def pane_options(services: Services, spec: AgentSpec, generation: int) -> dict[str, str]:
    """What a pane of ours carries, so that the next supervisor knows whose it is."""
    return {
        "agent": spec.address,
        "generation": str(generation),
        "spec": spec_hash(spec),
        "since": since(services, spec.team),
    }


def since(services: Services, team: str) -> str:
    """When the team was made, by which its panes are told from those of one of its name in another journal."""
    row = services.roster.teams.get(team)
    return "" if row is None else row.created_at.isoformat()
