"""The supervisor and the whole system for people."""

from datetime import datetime
from typing import Any

from tmuxorc.cli._output import terminal_width as width
from tmuxorc.cli.daemon import LogLines
from tmuxorc.cli.render._text import Cell, ago, clean, clock, counts, cut, fields, lines_of, paint, span, table
from tmuxorc.cli.status import Overview
from tmuxorc.model import Attention, DaemonStatus, SystemStatus
from tmuxorc.wire.methods import Done, SessionList

AT_MOST = 5
"""How many things that need a person fit a glance."""


def done(result: Done) -> str:
    """What was done, in a line."""
    return result.message or ("done" if result.changed else "nothing to do")


def daemon_status(result: DaemonStatus) -> str:
    """The supervisor's own fields."""
    return fields(
        (
            ("supervisor", f"running as pid {result.pid}, version {result.version}, up {span(result.uptime_s)}"),
            ("instance", result.instance),
            ("socket", result.socket),
            ("tmux", f"{result.tmux_version}, {result.tmux_state}, {result.tmux_socket}"),
            ("journal", result.journal),
            ("log", result.log),
            ("used", f"{result.rss_bytes / 1e6:.0f} MB, {result.cpu_s:.1f} s of CPU"),
        )
    )


def system_status(result: SystemStatus) -> str:
    """Everything at a glance."""
    return fields(_glance(result)) + _attention(result.attention)


def _glance(result: SystemStatus) -> tuple[tuple[str, str], ...]:
    teams = ", ".join(team.name for team in result.teams) or "none"
    return (
        ("supervisor", f"pid {result.pid}, version {result.version}, up {span(result.uptime_s)}"),
        ("instance", result.instance),
        ("tmux", f"{result.tmux_version}, {result.tmux_state}"),
        ("teams", cut(teams, width() - 12)),
        ("agents", f"{result.agents_total}: {counts(result.agents)}" if result.agents_total else "none"),
        ("messages", counts(result.messages)),
    )


def _attention(attention: tuple[Attention, ...]) -> str:
    if not attention:
        return ""
    head = paint("needs you:", "yellow")
    lines = [_needs(one) for one in attention[:AT_MOST]]
    more = [f"  and {len(attention) - AT_MOST} more: tmux-orc list"] if len(attention) > AT_MOST else []
    return "\n".join(["", head, *lines, *more])


def _needs(one: Attention) -> str:
    return cut(f"  {clean(one.address)}  {one.state.value} for {ago(one.since)}  {clean(one.detail)}".rstrip(), width())


def overview(result: Overview) -> str:
    """The state of things in ten lines, and what to type next."""
    if result.status is None:
        top = f"tmux-orc: no supervisor is running (instance {result.instance})"
    else:
        top = "\n".join(system_status(result.status).split("\n")[:8])
    return f"{top}\n\n{paint('next:', 'dim')} {paint(' | '.join(result.next), 'bold')}"


def session_list(result: SessionList) -> str:
    """One line a session."""
    if not result.sessions:
        return "no sessions"
    rows = ((Cell(s.id, "bold"), s.name, s.team or "", str(s.windows), str(s.attached)) for s in result.sessions)
    return table(("ID", "NAME", "TEAM", "WINDOWS", "ATTACHED"), rows)


def log_lines(result: LogLines) -> str:
    """One line an entry, and below it the traceback if it has one; what is not an entry stays as it is."""
    return "\n".join(map(_log_line, result.lines))


def _log_line(line: str) -> str:
    import msgspec

    try:
        entry = msgspec.json.decode(line, type=dict[str, Any])
        at = clock(datetime.fromisoformat(str(entry.pop("at"))))
        said = f"{at}  {entry.pop('level')!s:<7}  {entry.pop('logger')}: {entry.pop('message')}"
    except (msgspec.MsgspecError, ValueError, KeyError):
        return clean(line)
    long = [f"\n    {part}" for value in entry.values() if "\n" in str(value) for part in lines_of(str(value))]
    short = [f"  {key}={value}" for key, value in entry.items() if "\n" not in str(value)]
    return clean(said + "".join(short)) + "".join(long)
