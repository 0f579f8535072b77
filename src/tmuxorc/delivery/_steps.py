"""What every delivery by keys has in common: the message's place on the ladder and the pane's marker."""

from collections.abc import Generator
from typing import TypeVar

from tmuxorc.agents.evidence import ScreenSeen
from tmuxorc.agents.kinds import Kind
from tmuxorc.delivery._effects import Advance, Effect, Gate, Hold, Paste, Press, ReadScreen, Result
from tmuxorc.delivery._look import Look
from tmuxorc.delivery._marker import Marker, Stage, token_of
from tmuxorc.delivery.text import framed
from tmuxorc.model import MessageView, Rung

T = TypeVar("T")
Steps = Generator[Effect, Result, T]

_LONGEST_RETRY_S = 5.0


class Delivery:
    """One message, one pane: knows the rung, the marker and how to change either."""

    def __init__(self, kind: Kind, message: MessageView, *, incarnation: str, marker: str, foreground: str) -> None:
        self.kind = kind
        self.incarnation = incarnation
        self.marker = marker
        self.rung = message.rung
        self.text = framed(kind, message)
        self.look = Look(kind, self.text)
        self._token = token_of(message)
        self._foreground = foreground if kind.deliver.foreground else ""
        self._reason = ""

    @property
    def mark(self) -> Marker | None:
        """The marker, if it is this message's."""
        mark = Marker.parse(self.marker)
        return mark if mark is not None and mark.token == self._token else None

    @property
    def pause_s(self) -> float:
        """Between the text's appearance and the submit key."""
        deliver = self.kind.deliver
        return deliver.pause_s + deliver.pause_s_per_kib * len(self.text) / 1024

    def read(self, within_s: float | None = 0.0) -> Steps[ScreenSeen]:
        """Read the screen."""
        seen = yield ReadScreen(within_s=within_s)
        assert isinstance(seen, ScreenSeen)
        return seen

    def paste(self, gate: Gate) -> Steps[bool]:
        """Paste the text; whether it was."""
        marker = self._marker(Stage.PASTED)
        done = yield Paste(data=self.text.encode(), gate=gate, marker=marker)
        self.marker = marker if done else self.marker
        return bool(done)

    def press(self, gate: Gate, stage: Stage) -> Steps[bool]:
        """Press the submit key; whether it was."""
        marker = self._marker(stage)
        done = yield Press(key=self.kind.deliver.key, gate=gate, marker=marker)
        self.marker = marker if done else self.marker
        return bool(done)

    def gate(self, *, shows: tuple[str, ...] = (), cursor: tuple[int, int] | None = None) -> Gate:
        """A gate of this delivery: no dialog, the agent in the foreground, nobody else's marker."""
        return Gate(
            marker=self.marker, shows=shows, hides=self.kind.dialogs, cursor=cursor, foreground=self._foreground
        )

    def advance(self, rung: Rung, evidence: str, detail: str = "") -> Steps[None]:
        """Journal a new rung; nothing if it is the old one."""
        if rung is not self.rung:
            yield Advance(rung=rung, evidence=evidence, detail=detail)
        self.rung = rung
        self._reason = ""

    def settle(self, rung: Rung, evidence: str) -> Steps[Rung]:
        """The last step; of an unverified message the evidence is also what people are told."""
        yield from self.advance(rung, evidence, evidence if rung is Rung.UNVERIFIED else "")
        return rung

    def hold(self, reason: str) -> Steps[None]:
        """Say why it stands still, once for each reason."""
        if reason == self._reason:
            return
        self._reason = reason
        self.rung = self.rung if self.rung is Rung.STAGED else Rung.HELD
        yield Hold(rung=self.rung, reason=reason)

    def start_over(self) -> Steps[None]:
        """The process that had the text in its composer is gone, and the text with it."""
        self.rung = Rung.HELD
        yield from self.hold("the agent ended before the message was submitted: it is sent again")

    def refused(self, times: int) -> Steps[ScreenSeen]:
        """The gate was shut though the screen had looked well: look again at the next change, or ever less soon."""
        if times > 5:
            yield from self.hold("the screen keeps changing under the gate")
        return (yield from self.read(min(_LONGEST_RETRY_S, 0.02 * 2**times)))

    def _marker(self, stage: Stage) -> str:
        return str(Marker(token=self._token, stage=stage, incarnation=self.incarnation))
