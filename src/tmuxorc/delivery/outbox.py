"""The messages waiting for one agent: first in, first out, one under way, and why the rest waits."""

from collections.abc import Iterable

from tmuxorc.agents.evidence import State
from tmuxorc.agents.kinds import Kind
from tmuxorc.delivery._marker import Marker, token_of
from tmuxorc.delivery.ladder import Ladder, resumes
from tmuxorc.model import AgentState, MessageView


class Outbox:
    """The queue of one incarnation of an agent.

    `messages` are the agent's unsettled messages, oldest first; `marker` is the pane's delivery marker.  The message it
    names is taken up again before all others.
    """

    def __init__(
        self,
        kind: Kind,
        *,
        incarnation: str,
        marker: str | None = None,
        messages: Iterable[MessageView] = (),
    ) -> None:
        self._kind = kind
        self._incarnation = incarnation
        self._marker = marker or ""
        self._waiting = list(messages)
        self._current: Ladder | None = None
        self._marked_first()

    def __repr__(self) -> str:
        return f"<Outbox {len(self._waiting)} waiting, under way: {self._current!r}>"

    def __len__(self) -> int:
        return len(self._waiting) + (self._current is not None)

    @property
    def current(self) -> Ladder | None:
        """The delivery under way."""
        return self._current

    @property
    def waiting(self) -> tuple[MessageView, ...]:
        """Those not begun, in order."""
        return tuple(self._waiting)

    @property
    def first(self) -> MessageView | None:
        """The next one, while none is under way and nothing of it has been typed."""
        if self._current is not None or not self._waiting or self._typed(self._waiting[0]):
            return None
        return self._waiting[0]

    def take_first(self) -> None:
        """It goes another way than by keys."""
        del self._waiting[0]

    def put_back(self, message: MessageView) -> None:
        """It is to be delivered before all others after all."""
        self._waiting.insert(0, message)

    def put_aside(self) -> None:
        """The delivery under way, of which nothing is typed, is begun anew, perhaps another way."""
        if self._current is not None:
            self._waiting.insert(0, self._current.message)
        self._current = None

    def add(self, message: MessageView) -> None:
        """One more message, behind the others of its priority."""
        self._waiting.append(message)
        self._waiting.sort(key=lambda waiting: (not self._typed(waiting), -waiting.terms.priority))

    def begin(self, state: State, foreground: str = "", obstacle: str = "") -> Ladder | None:
        """The next delivery, if none is under way, there is no obstacle, and the agent can take one in this `state`."""
        if self._current is not None or not self._waiting:
            return None
        message = self._waiting[0]
        if (obstacle or self.reason(state)) and not self._typed(message):
            return None
        del self._waiting[0]
        self._current = Ladder(
            self._kind, message, incarnation=self._incarnation, marker=self._marker, foreground=foreground
        )
        return self._current

    def finish(self, ladder: Ladder) -> None:
        """The delivery is done."""
        self._marker = ladder.marker
        self._current = None

    def reason(self, state: State) -> str:
        """Why nothing may be delivered in this `state`; empty if it may."""
        if state.state in self._kind.deliver.when:
            return ""
        words = _REASONS.get(state.state, f"the agent is {state.state.value}")
        return f"{words}: {state.detail}" if state.detail else words

    def take_out(self, message_id: str) -> bool:
        """Cancel a message that has not been typed; whether it could be."""
        before = len(self)
        self._waiting = [m for m in self._waiting if m.id != message_id or self._typed(m)]
        if self._current and self._current.message.id == message_id and self._current.untouched:
            self._current = None
        return len(self) < before

    def _typed(self, message: MessageView) -> bool:
        return resumes(self._mark_of(message), self._incarnation)

    def _mark_of(self, message: MessageView) -> Marker | None:
        mark = Marker.parse(self._marker)
        return mark if mark is not None and mark.token == token_of(message) else None

    def _marked_first(self) -> None:
        self._waiting.sort(key=lambda message: (self._mark_of(message) is None, -message.terms.priority))


_REASONS = {
    AgentState.STARTING: "the agent is starting",
    AgentState.BLOCKED: "the agent waits for an answer",
    AgentState.LIMITED: "the agent is rate-limited",
    AgentState.BUSY: "the agent is busy",
    AgentState.UNKNOWN: "it is not known what the agent is doing",
    AgentState.EXITED: "the agent does not run",
    AgentState.FAILED: "the agent does not run",
}
