"""What an agent is doing, folded from evidence, without I/O or a clock.

What no rule recognises is `unknown`, not a guess.
"""

import re
from collections.abc import Iterator

from tmuxorc.agents.evidence import (
    Bell,
    ChannelLost,
    ChannelSaid,
    Evidence,
    Exited,
    ForegroundSeen,
    HookSaid,
    ModeChanged,
    Osc,
    ProcessStarted,
    PromptSeen,
    ReadyTimedOut,
    ScreenSeen,
    State,
    TitleSeen,
)
from tmuxorc.agents.frame import find_box, pattern, region_lines
from tmuxorc.agents.kinds import Kind
from tmuxorc.agents.schema import Region, StateFrom, StateRule
from tmuxorc.model import AgentState, Prompt

STATE_OSC = 7501
_SAID: dict[Region, type[Evidence]] = {Region.CHANNEL: ChannelSaid, Region.HOOK: HookSaid}


class Detector:
    """The state of one incarnation of an agent.

    `feed` it everything seen; it answers with a `State` when that has changed.  `state` is the current one, `ready`
    whether the start has ended (ready, or blocked by a dialog, or out of time), `why` the newest evidence of each sort.
    """

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._seen: dict[type[Evidence], Evidence] = {}
        self._osc: str | None = None
        self._exited: Exited | None = None
        self._ready = False
        self.state = State(state=AgentState.UNKNOWN, source="nothing seen yet")

    def __repr__(self) -> str:
        return f"<Detector {self._kind.name} {self.state.state.value} ready={self._ready}>"

    @property
    def ready(self) -> bool:
        """Whether the agent has left `starting`, in whatever way."""
        return self._ready

    @property
    def why(self) -> tuple[Evidence, ...]:
        """The newest evidence of each sort, oldest first."""
        return tuple(sorted(self._seen.values(), key=lambda evidence: evidence.at))

    @property
    def prompt(self) -> Prompt | None:
        """What the agent asks, as its channel or a hook told it."""
        seen = self._seen.get(PromptSeen)
        return seen.prompt if isinstance(seen, PromptSeen) else None

    @property
    def foreground(self) -> ForegroundSeen | None:
        """The last word on who is in the foreground."""
        seen = self._seen.get(ForegroundSeen)
        return seen if isinstance(seen, ForegroundSeen) else None

    @property
    def screen(self) -> ScreenSeen | None:
        """The last screen seen."""
        seen = self._seen.get(ScreenSeen)
        return seen if isinstance(seen, ScreenSeen) else None

    def feed(self, evidence: Evidence) -> State | None:
        """Take in one piece of evidence; the new state if it differs from the one before."""
        self._note(evidence)
        if isinstance(evidence, (Bell, ModeChanged)):
            return None  # no rule looks at them, and they come with every frame of some programs
        state = self._judge()
        known = state.state not in (AgentState.STARTING, AgentState.UNKNOWN)
        self._ready = self._ready or known or ReadyTimedOut in self._seen
        changed = (state.state, state.detail) != (self.state.state, self.state.detail)
        self.state = state
        return state if changed else None

    def _note(self, evidence: Evidence) -> None:
        if isinstance(evidence, ProcessStarted):
            self._seen.clear()
            self._osc = self._exited = None
            self._ready = evidence.adopted
        elif isinstance(evidence, Exited):
            self._exited = evidence
        elif isinstance(evidence, Osc) and evidence.number == STATE_OSC:
            self._osc = evidence.text
        elif isinstance(evidence, ChannelLost):
            self._seen.pop(ChannelSaid, None)
            self._seen.pop(PromptSeen, None)
        self._seen[type(evidence)] = evidence

    def _judge(self) -> State:
        if self._exited:
            return _ended(self._exited)
        if ProcessStarted not in self._seen:
            return self.state
        if self._kind.state_from is StateFrom.PROCESS:
            return State(state=AgentState.BUSY, source="process")
        known = self._foreground() if self._kind.state_from is StateFrom.FOREGROUND else self._screen()
        return known or self._unrecognised()

    def _unrecognised(self) -> State:
        if self._ready and self.screen is None:
            return State(state=AgentState.UNKNOWN, source="nothing seen yet")
        if self._ready:
            return State(state=AgentState.UNKNOWN, detail="its screen is not one we know", source="screen")
        if ReadyTimedOut in self._seen:
            waited = f"not ready after {self._kind.ready_timeout_s:g} s"
            return State(state=AgentState.UNKNOWN, detail=waited, source="clock")
        return State(state=AgentState.STARTING, source="process")

    def _foreground(self) -> State | None:
        """A shell is idle while it is in the foreground itself, once it has painted anything."""
        seen = self.foreground
        painted = self.screen is not None and any(line.strip() for line in self.screen.lines)
        if seen is None or not (painted or self._ready or ReadyTimedOut in self._seen):
            return None
        if seen.own:
            return State(state=AgentState.IDLE, source="foreground")
        return State(state=AgentState.BUSY, detail=seen.command, source="foreground")

    def _screen(self) -> State | None:
        return next(self.matches(), None)

    def matches(self) -> Iterator[State]:
        """What each rule that holds says, in their order: the first decides, the others agree or contradict."""
        for index, rule in enumerate(self._kind.states):
            if (match := self._holds(rule)) is not None:
                yield State(
                    state=rule.state,
                    detail=self._detail(rule, match),
                    source=rule.region.value,
                    rule=f"states[{index}]",
                )

    def _holds(self, rule: StateRule) -> re.Match[str] | None:
        """The match of a rule of which everything holds."""
        lines = self._lines(rule.region)
        match = next((m for line in lines if (m := pattern(rule.match).search(line))), None)
        if match is None or not self._shows(rule) or not all(_found(also, lines) for also in rule.also):
            return None
        return None if any(_found(never, lines) for never in rule.never) else match

    def _shows(self, rule: StateRule) -> bool:
        screen = self.screen
        if rule.composer is not None and rule.composer != bool(screen and find_box(self._kind.composer, screen)):
            return False
        return rule.cursor is None or (screen is not None and screen.cursor_visible == rule.cursor)

    def _lines(self, region: Region) -> tuple[str, ...]:
        if region is Region.OSC:
            return () if self._osc is None else (self._osc,)
        if region is Region.TITLE and (title := self._title()) is not None:
            return (title,)
        if region in _SAID:
            return _words(self._seen.get(_SAID[region]))
        return region_lines(self._kind, self.screen, region) if self.screen else ()

    def _detail(self, rule: StateRule, match: re.Match[str]) -> str:
        """What the rule's own patterns say, else what the evidence brings along."""
        found = _detail(rule, match, self.screen)
        if found or rule.region not in _SAID:
            return found
        prompt = self.prompt if rule.state is AgentState.BLOCKED else None
        seen = self._seen.get(_SAID[rule.region])
        said = seen.detail if isinstance(seen, ChannelSaid | HookSaid) else ""
        return (prompt.command or prompt.question) if prompt is not None else said

    def _title(self) -> str | None:
        """The newest title, whether it came alone or with a screen."""
        seen, screen = self._seen.get(TitleSeen), self.screen
        if isinstance(seen, TitleSeen) and (screen is None or seen.at >= screen.at):
            return seen.title
        return None


def _words(seen: Evidence | None) -> tuple[str, ...]:
    """What rules for a channel or for hooks may look at."""
    if isinstance(seen, ChannelSaid):
        return (seen.said,)
    return (seen.event,) if isinstance(seen, HookSaid) else ()


def _found(regex: str, lines: tuple[str, ...]) -> bool:
    return any(pattern(regex).search(line) for line in lines)


def _detail(rule: StateRule, match: re.Match[str], screen: ScreenSeen | None) -> str:
    if not rule.detail:
        return match.groupdict().get("detail") or ""
    for line in reversed(screen.lines if screen else ()):
        if found := pattern(rule.detail).search(line):
            return str(found.groupdict().get("detail") or found.group())
    return ""


def _ended(exited: Exited) -> State:
    if exited.signal:
        return State(state=AgentState.FAILED, detail=f"ended by {exited.signal}", source="process")
    if exited.status:
        return State(state=AgentState.FAILED, detail=f"exit status {exited.status}", source="process")
    return State(state=AgentState.EXITED, detail="exit status 0" if exited.status == 0 else "", source="process")
