"""Kinds of agents, and what their rules make of a screen, for people."""

from tmuxorc.cli._kinds import KindList, KindView, Seen
from tmuxorc.cli.detect import Detected, RuleFound
from tmuxorc.cli.render._text import STATE_COLOURS, Cell, clean, fields, paint, state, table

COLOURS = {Seen.KNOWN: "green", Seen.NEWER: "yellow", Seen.OTHER: "yellow", Seen.UNREAD: None}


def kind_list(result: KindList) -> str:
    """One line a kind, and below the table what to do about those that need it."""
    head = ("KIND", "PROGRAM", "VERSION", "KNOWN", "CHANNEL", "SUMMARY")
    shown = table(head, map(_row, result.kinds), flexible=("SUMMARY", "KNOWN"))
    notes = [line for kind in result.kinds for line in _notes(kind)]
    return "\n".join([shown, *([""] if notes else []), *notes])


def _row(kind: KindView) -> tuple[Cell | str, ...]:
    return (
        Cell(kind.name, "bold"),
        _program(kind),
        Cell(kind.version, COLOURS[kind.seen]),
        ", ".join(kind.known),
        kind.channel,
        kind.summary,
    )


def _program(kind: KindView) -> Cell:
    if kind.installed is None:
        return Cell("any", "dim")
    return Cell("installed", "green") if kind.installed else Cell("not found", "yellow")


def _notes(kind: KindView) -> list[str]:
    warning = [f"{paint(kind.name, 'bold')}: {clean(kind.warning)}"] if kind.warning else []
    return [*warning, *([f"{paint(kind.name, 'bold')}: get it with: {clean(kind.install)}"] if kind.install else [])]


def detected(result: Detected) -> str:
    """The state, and every rule that holds in the order in which they count."""
    now = result.state.value
    said = fields(
        (
            ("kind", result.kind),
            ("state", paint(now, STATE_COLOURS.get(now))),
            ("details", result.details),
            ("rule", result.rule or "none holds"),
        )
    )
    if not result.evidence:
        return said
    head = ("RULE", "SAYS", "LOOKS AT", "DETAILS", "FOR")
    return f"{said}\n\n{table(head, map(_held, result.evidence), flexible=('FOR', 'DETAILS'))}"


def _held(rule: RuleFound) -> tuple[Cell | str, ...]:
    return rule.rule, state(rule.state.value), rule.source, rule.details, rule.match
