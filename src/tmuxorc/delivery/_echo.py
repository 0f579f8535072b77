"""Delivery to a program of which only the terminal's echo is known."""

from tmuxorc.agents.evidence import ScreenSeen
from tmuxorc.delivery._effects import Wait
from tmuxorc.delivery._marker import Stage
from tmuxorc.delivery._steps import Delivery, Steps
from tmuxorc.model import Rung

COPY_MODE = "a person is looking at the pane in copy mode"


class EchoSteps:
    """The steps for kinds without a composer."""

    def __init__(self, delivery: Delivery) -> None:
        self._at = delivery
        self._look = delivery.look
        self._deliver = delivery.kind.deliver

    def run(self) -> Steps[Rung]:
        """From wherever the marker says it stands."""
        mark = self._at.mark
        if mark is None or mark.incarnation != self._at.incarnation:
            before = yield from self._paste()
            echo = yield from self._echo(before)
        elif mark.stage.pressed:
            return (yield from self._at.settle(Rung.UNVERIFIED, "submit key pressed; nobody was there to see the echo"))
        else:
            echo = yield from self._echo(None)
            if echo is None:
                return (yield from self._at.settle(Rung.UNVERIFIED, "pasted; the line of the cursor does not show it"))
        yield from self._submit(echo)
        return (yield from self._verify(echo))

    def _paste(self) -> Steps[ScreenSeen]:
        """Paste at the prompt, if the kind has one; the screen from before."""
        screen = yield from self._at.read()
        refusals = 0
        while True:
            obstacle = self._obstacle(screen)
            if obstacle is not None:
                yield from self._at.hold(obstacle)
                screen = yield from self._at.read(None)
                continue
            cursor = screen.cursor if self._deliver.prompt else None
            if (yield from self._at.paste(self._at.gate(cursor=cursor))):
                return screen
            refusals += 1
            screen = yield from self._at.refused(refusals)

    def _obstacle(self, screen: ScreenSeen) -> str | None:
        if screen.in_mode:
            return COPY_MODE
        return None if self._look.prompted(screen) else "no empty prompt is under the cursor"

    def _echo(self, before: ScreenSeen | None) -> Steps[ScreenSeen | None]:
        """The screen that shows the text, or None if none does in time."""
        screen = yield from self._at.read()
        until = screen.at + self._deliver.shown_within_s
        while True:
            if self._look.echoed(screen, before):
                return screen
            if screen.at >= until:
                return None
            screen = yield from self._at.read(until - screen.at)

    def _submit(self, echo: ScreenSeen | None) -> Steps[None]:
        yield from self._at.advance(Rung.STAGED, "echoed by the terminal" if echo else "pasted; no echo")
        yield Wait(seconds=self._at.pause_s)
        refusals = 0
        while not (yield from self._at.press(self._at.gate(), Stage.SUBMITTED)):
            refusals += 1
            screen = yield from self._at.refused(refusals)
            while screen.in_mode:
                yield from self._at.hold(COPY_MODE)
                screen = yield from self._at.read(None)

    def _verify(self, echo: ScreenSeen | None) -> Steps[Rung]:
        if echo is None:
            reason = "the program shows no echo: nothing proves that it read the message"
            return (yield from self._at.settle(Rung.UNVERIFIED, reason))
        screen = yield from self._at.read()
        until = screen.at + self._deliver.taken_within_s
        while _line(screen) == _line(echo):
            if screen.at >= until:
                return (yield from self._at.settle(Rung.UNVERIFIED, "the text still stands on the line of the cursor"))
            screen = yield from self._at.read(until - screen.at)
        return (yield from self._at.settle(Rung.SUBMITTED, "echoed by the terminal, then taken"))


def _line(screen: ScreenSeen) -> tuple[tuple[int, int], str]:
    row = screen.cursor[1]
    return screen.cursor, screen.lines[row] if row < len(screen.lines) else ""
