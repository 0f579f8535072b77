"""One message on its way into one agent by keys: gate, paste, look, submit, look again.

Every act on the pane is a compare-and-set: tmux checks the gate (screen, cursor, foreground, and the marker left by the
act before) and sets the next marker in the same batch as the keys.  Whatever dies between two effects, the next ladder
for the message reads the marker and goes on from there; no text is pasted twice into one process, and no message is
submitted twice.  What cannot be known is `unverified`.

The rung `staged` is journaled before the submit key: a message not yet staged was certainly not submitted, even if the
pane, and the marker with it, is lost.
"""

from collections.abc import Generator

from tmuxorc.agents.kinds import Kind
from tmuxorc.agents.schema import Verify
from tmuxorc.delivery._composer import ComposerSteps
from tmuxorc.delivery._echo import EchoSteps
from tmuxorc.delivery._effects import Done, Effect, Paste, Result
from tmuxorc.delivery._marker import Marker
from tmuxorc.delivery._steps import Delivery, Steps
from tmuxorc.errors import DeliveryError
from tmuxorc.model import MessageView, Rung


class Ladder:
    """Perform `begin()`, then perform `answer(result)` of each, until it is `Done`.

    `incarnation` names the agent's process (letters, digits, ``.-_``), `marker` is the pane's delivery marker at the
    beginning, `foreground` the agent's own command name as tmux shows it, for kinds that must be in the foreground.
    A ladder may be dropped between any two effects.
    """

    def __init__(
        self, kind: Kind, message: MessageView, *, incarnation: str, marker: str | None = None, foreground: str = ""
    ) -> None:
        self.message = message
        self._delivery = Delivery(kind, message, incarnation=incarnation, marker=marker or "", foreground=foreground)
        self._steps: Generator[Effect, Result, Rung] | None = None
        self._last: Effect | None = None

    def __repr__(self) -> str:
        return f"<Ladder {self.message.id} {self.rung.value} marker={self.marker!r} last={self._last!r}>"

    @property
    def rung(self) -> Rung:
        """Where the message stands."""
        return self._delivery.rung

    @property
    def marker(self) -> str:
        """The pane's delivery marker, as far as the effects were answered."""
        return self._delivery.marker

    @property
    def untouched(self) -> bool:
        """Whether nothing was pasted or is being pasted: such a message may still be cancelled."""
        typed = resumes(self._delivery.mark, self._delivery.incarnation)
        return not typed and not isinstance(self._last, (Paste, Done))

    def begin(self) -> Effect:
        """The first effect."""
        if self._steps is not None:
            raise DeliveryError("a ladder begins once")
        self._steps = self._run()
        return self._next(None)

    def answer(self, result: Result = None) -> Effect:
        """The effect after the one that was answered with `result`."""
        if self._steps is None or isinstance(self._last, Done):
            raise DeliveryError("a ladder that has not begun, or is done, takes no answer")
        return self._next(result)

    def _next(self, result: Result) -> Effect:
        assert self._steps is not None
        try:
            self._last = self._steps.send(result)
        except StopIteration as stop:
            self._last = Done(rung=stop.value)
        return self._last

    def _run(self) -> Steps[Rung]:
        """Where to begin: the marker says what was done, the rung what must have been."""
        delivery = self._delivery
        mark = delivery.mark
        steps = EchoSteps if delivery.kind.deliver.verify is Verify.ECHO else ComposerSteps
        if mark is None and delivery.rung is Rung.STAGED:
            return (yield from delivery.settle(Rung.UNVERIFIED, PANE_GONE))
        if mark is not None and mark.incarnation != delivery.incarnation:
            if mark.stage.pressed:
                return (yield from delivery.settle(Rung.SUBMITTED, ENDED))
            yield from delivery.start_over()
        return (yield from steps(delivery).run())


PANE_GONE = "its pane is gone, and the submit key may have been pressed"
ENDED = "submit key pressed; the process ended before more was seen"


def resumes(marker: Marker | None, incarnation: str) -> bool:
    """Whether a delivery must be followed up: its text is in the process `incarnation`, or was submitted to any."""
    return marker is not None and (marker.incarnation == incarnation or marker.stage.pressed)
