"""The team file: TOML into the specs of a team and of its agents, here on the client, where its paths mean something.

```toml
[team]
name = "review"
strategy = "one_for_one"

[defaults]                # for every agent that does not say otherwise
kind = "demo"

[[agent]]
name = "lead"
brief_file = "lead.md"    # paths are relative to the file
```
"""

import os
import sys
from typing import Any

import msgspec

from tmuxorc.cli import _read
from tmuxorc.errors import ConfigError, NotFoundError, UsageError
from tmuxorc.model import AgentSpec, AutoShutdown, Frozen, Restart, Strategy, TeamSpec
from tmuxorc.names import check_name
from tmuxorc.toml import parse_toml, read_toml
from tmuxorc.wire.methods import ApplyTeam


class TeamTable(Frozen, kw_only=True, forbid_unknown_fields=True):
    """``[team]``.  None means not said, so that `TeamSpec` keeps the one word on it."""

    name: str
    strategy: Strategy | None = None
    intensity: int | None = None
    period_s: float | None = None
    auto_shutdown: AutoShutdown | None = None


class Defaults(Frozen, kw_only=True, forbid_unknown_fields=True):
    """``[defaults]``: what agents share.  None means not said, so that `AgentSpec` keeps the one word on it."""

    kind: str | None = None
    command: tuple[str, ...] | None = None
    cwd: str | None = None
    env: dict[str, str] = {}
    brief: str | None = None
    brief_file: str | None = None
    role: str | None = None
    restart: Restart | None = None
    shutdown_s: float | None = None
    significant: bool | None = None


class AgentTable(Defaults, kw_only=True):
    """``[[agent]]``."""

    name: str


class TeamFile(Frozen, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    team: TeamTable
    defaults: Defaults = Defaults()
    agent: tuple[AgentTable, ...] = ()


def read_team(path: str, *, cwd: str, search_path: str, dry_run: bool) -> ApplyTeam:
    """The request the team file at `path` stands for; ``-`` is standard input, then paths are relative to `cwd`.

    Raises:
        NotFoundError: there is no such file.
        ConfigError: what is in it cannot be used; names file and key.
    """
    if path == "-":
        found = parse_toml(sys.stdin.buffer.read(), TeamFile, "standard input")
        return _request(found, path, cwd, search_path, dry_run)
    try:
        found = read_toml(path, TeamFile)
    except FileNotFoundError:
        raise NotFoundError(f"no such file: {path}", hint="give the path of a team file (TOML)") from None
    return _request(found, path, os.path.dirname(os.path.join(cwd, path)), search_path, dry_run)


def _request(found: TeamFile, path: str, directory: str, search_path: str, dry_run: bool) -> ApplyTeam:
    _check_tables(found, path)
    team = TeamSpec(name=found.team.name, **_said(found.team))
    agents = tuple(_agent(found, table, directory, search_path) for table in found.agent)
    return ApplyTeam(spec=team, agents=agents, dry_run=dry_run)


def _agent(found: TeamFile, table: AgentTable, directory: str, search_path: str) -> AgentSpec:
    said = _said(found.defaults) | _said(table)
    said["env"] = found.defaults.env | table.env
    said["brief"] = _brief(found.defaults, table, directory)
    said["cwd"] = os.path.normpath(os.path.join(directory, os.path.expanduser(said.get("cwd", "."))))
    return AgentSpec(**said, name=table.name, team=found.team.name, path=search_path)


def _said(table: Defaults | TeamTable) -> dict[str, Any]:
    apart = ("name", "env", "brief", "brief_file")
    return {k: v for k, v in msgspec.structs.asdict(table).items() if v is not None and k not in apart}


def _brief(defaults: Defaults, table: AgentTable, directory: str) -> str:
    """The agent's own brief before the defaults'."""
    for level in (table, defaults):
        if level.brief is not None:
            return level.brief
        if level.brief_file is not None:
            return _read.file(os.path.join(directory, os.path.expanduser(level.brief_file)))
    return ""


def _check_tables(found: TeamFile, path: str) -> None:
    _check_name(found.team.name, path, "team.name", "team")
    _check_brief(found.defaults, path, "defaults")
    _check_numbers(found.team, path, "team")
    _check_numbers(found.defaults, path, "defaults")
    seen: set[str] = set()
    for number, agent in enumerate(found.agent):
        key = f"agent[{number}].name"
        _check_name(agent.name, path, key, "agent")
        _check_brief(agent, path, f"agent[{number}]")
        _check_numbers(agent, path, f"agent[{number}]")
        if agent.name in seen:
            hint = "give every [[agent]] a name of its own"
            raise ConfigError(f"{path}: {key}: two agents are called '{agent.name}'", hint=hint, details=_at(path, key))
        seen.add(agent.name)


def _check_name(name: str, path: str, key: str, what: str) -> None:
    try:
        check_name(name, what)
    except UsageError as error:
        raise ConfigError(f"{path}: {key}: {error.message}", hint=error.hint, details=_at(path, key)) from None


def _check_brief(table: Defaults, path: str, where: str) -> None:
    if table.brief is not None and table.brief_file is not None:
        key = f"{where}.brief_file"
        raise ConfigError(f"{path}: {key}: brief is there too, and both cannot be", details=_at(path, key))


def _check_numbers(table: Frozen, path: str, where: str) -> None:
    """TOML can say what is no number; the wire cannot."""
    for name, value in msgspec.structs.asdict(table).items():
        if isinstance(value, float) and not abs(value) < float("inf"):
            key = f"{where}.{name}"
            hint = f"give '{key}' a number"
            raise ConfigError(f"{path}: {key}: {value} is not a number", hint=hint, details=_at(path, key))


def _at(path: str, key: str) -> dict[str, Any]:
    return {"file": path, "key": key}
