"""Delivery into a composer: the text is seen in it before the submit key, and seen to have left it after."""

from tmuxorc.agents.evidence import ScreenSeen
from tmuxorc.delivery._effects import Wait
from tmuxorc.delivery._marker import Stage
from tmuxorc.delivery._steps import Delivery, Steps
from tmuxorc.model import Rung


class ComposerSteps:
    """The steps for kinds with a composer."""

    def __init__(self, delivery: Delivery) -> None:
        self._at = delivery
        self._look = delivery.look
        self._deliver = delivery.kind.deliver
        self._entries_before: int | None = None

    def run(self) -> Steps[Rung]:
        """From wherever the marker says it stands."""
        mark = self._at.mark
        if mark is None or mark.incarnation != self._at.incarnation:
            yield from self._paste()
        if mark is None or mark.incarnation != self._at.incarnation or not mark.stage.pressed:
            settled = yield from self._submit()
            if settled is not None:
                return settled
        return (yield from self._verify())

    def _paste(self) -> Steps[None]:
        """Wait for an empty composer, and paste into it."""
        screen = yield from self._at.read()
        refusals = 0
        while True:
            obstacle = self._obstacle(screen)
            if obstacle is not None:
                yield from self._at.hold(obstacle)
                screen = yield from self._at.read(None)
                continue
            self._entries_before = self._look.entries(screen)
            if (yield from self._at.paste(self._at.gate(shows=self._look.vacant(screen), cursor=screen.cursor))):
                return
            refusals += 1
            screen = yield from self._at.refused(refusals)

    def _obstacle(self, screen: ScreenSeen) -> str | None:
        """Why the text may not be pasted now."""
        obstacle = self._look.obstacle(screen)
        box = self._look.box(screen)
        if obstacle is None and box is not None and not box.empty:
            return "the composer holds an unsent draft"
        return obstacle

    def _submit(self) -> Steps[Rung | None]:
        """Press the submit key once the text shows; the final rung if it never will."""
        refusals = 0
        screen = yield from self._at.read()
        while True:
            shown = yield from self._shown(screen)
            if shown is None:
                return (yield from self._vanished())
            yield from self._at.advance(Rung.STAGED, "the text is in the composer")
            yield Wait(seconds=self._at.pause_s)
            if (yield from self._press(shown, Stage.SUBMITTED)):
                return None
            refusals += 1
            screen = yield from self._at.refused(refusals)

    def _press(self, screen: ScreenSeen, stage: Stage) -> Steps[bool]:
        composer = self._at.kind.composer
        assert composer is not None
        return (yield from self._at.press(self._at.gate(shows=(composer.first,), cursor=screen.cursor), stage))

    def _shown(self, screen: ScreenSeen) -> Steps[ScreenSeen | None]:
        """A screen with the text in the composer; None if the composer is empty and stays so.

        A program that paints nothing at all is waited for: it has not read the text yet.
        """
        empty_since: float | None = None
        while True:
            box = self._look.box(screen)
            obstacle = self._look.obstacle(screen)
            if obstacle is None and box is not None and self._look.holds_ours(box):
                return screen
            if obstacle is None and box is not None and box.empty:
                empty_since = screen.at if empty_since is None else empty_since
                left = empty_since + self._deliver.shown_within_s - screen.at
                if left <= 0 and self._taken_in(screen):
                    return None
                if left > 0:
                    screen = yield from self._at.read(left)
                    continue
                return None
            empty_since = None
            yield from self._at.hold(obstacle or "the composer holds more than the message")
            screen = yield from self._at.read(None)

    def _taken_in(self, screen: ScreenSeen) -> bool:
        """Whether the transcript shows the message once more than before."""
        return self._entries_before is not None and self._look.entries(screen) > self._entries_before

    def _vanished(self) -> Steps[Rung]:
        screen = yield from self._at.read()
        if self._taken_in(screen):
            return (yield from self._at.settle(Rung.TAKEN_IN, "the transcript shows it; somebody else submitted it"))
        return (yield from self._at.settle(Rung.UNVERIFIED, "pasted, but the composer does not show it"))

    def _verify(self) -> Steps[Rung]:
        """See the text leave the composer; if it stays, press once more, once."""
        screen = yield from self._at.read()
        since = screen.at
        while True:
            verdict = self._verdict(screen)
            if verdict is not None:
                return (yield from self._taken(screen, verdict))
            left = since + self._deliver.taken_within_s - screen.at
            if left > 0:
                screen = yield from self._at.read(left)
            elif (obstacle := self._look.obstacle(screen)) is not None:
                yield from self._at.hold(f"submit key pressed; {obstacle}")
                screen = yield from self._at.read(None)
                since = screen.at
            elif (yield from self._again(screen)):
                screen = yield from self._at.read()
                since = screen.at
            else:
                return (yield from self._at.settle(Rung.UNVERIFIED, self._unclear(screen)))

    def _verdict(self, screen: ScreenSeen) -> str | None:
        """The evidence that the message has left the composer."""
        box = self._look.box(screen)
        if box is not None and box.empty:
            return "the agent keeps it in its queue" if self._look.queued(screen) else "the composer is empty again"
        if self._taken_in(screen) and not (box is not None and self._look.holds_ours(box)):
            return "the transcript shows it"
        return "the composer is gone, and the text with it" if self._look.gone(screen) else None

    def _taken(self, screen: ScreenSeen, evidence: str) -> Steps[Rung]:
        yield from self._at.advance(Rung.SUBMITTED, evidence)
        if self._taken_in(screen):
            return (yield from self._at.settle(Rung.TAKEN_IN, "the transcript shows it"))
        return Rung.SUBMITTED

    def _again(self, screen: ScreenSeen) -> Steps[bool]:
        """The second and last submit key, only while the text itself still stands there."""
        box, mark = self._look.box(screen), self._at.mark
        if box is None or mark is None or mark.stage is not Stage.SUBMITTED or not self._look.holds_ours(box):
            return False
        return (yield from self._press(screen, Stage.RESUBMITTED))

    def _unclear(self, screen: ScreenSeen) -> str:
        box = self._look.box(screen)
        if box is not None and self._look.holds_ours(box):
            return "the text is still in the composer after two submit keys"
        return "the submit key was pressed, but the composer holds something else"
