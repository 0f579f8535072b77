"""A courier for tests: performs a ladder's effects on a real pane, and can be dropped between any two of them."""

from collections.abc import Callable, Sequence

import msgspec
import trio

from tests.tmux.panes import DEADLINE_S, Record, WatchedPane
from tmuxorc.agents.cells import read_cells
from tmuxorc.agents.evidence import ScreenSeen
from tmuxorc.agents.kinds import Kind
from tmuxorc.delivery import (
    Advance,
    Done,
    Effect,
    Hold,
    Ladder,
    Paste,
    Press,
    ReadScreen,
    Result,
    Wait,
    condition,
)
from tmuxorc.model import MessageView, Rung


class Courier(Record):
    """One incarnation's deliveries; its events are the effects performed, `rungs` is what the journal would have."""

    def __init__(self, pane: WatchedPane, kind: Kind, *, incarnation: str = "1", foreground: str = "") -> None:
        super().__init__()
        self.pane = pane
        self.kind = kind
        self.incarnation = incarnation
        self.foreground = foreground
        self.rungs: dict[str, Rung] = {}
        self._known = 0

    async def deliver(self, message: MessageView, *, drop: Callable[[int, Effect], bool] | None = None) -> Rung | None:
        """The final rung; None if dropped, as by a kill, before the effect of this number that `drop` tells."""
        rung = self.rungs.get(message.id, message.rung)
        options = await self.pane.tmux.get_options(self.pane.id)
        ladder = Ladder(
            self.kind,
            msgspec.structs.replace(message, rung=rung),
            incarnation=self.incarnation,
            marker=options.get("delivery"),
            foreground=self.foreground,
        )
        effect, count = ladder.begin(), 0
        with trio.fail_after(3 * DEADLINE_S):
            while not isinstance(effect, Done):
                if drop and drop(count, effect):
                    return None
                result = await self._perform(message.id, effect)
                self(effect)
                effect, count = ladder.answer(result), count + 1
        return effect.rung

    async def _perform(self, id_: str, effect: Effect) -> Result:
        tmux, pane = self.pane.tmux, self.pane.id
        match effect:
            case ReadScreen(within_s=within_s):
                return await self.read(within_s)
            case Paste(data=data, gate=gate, marker=marker):
                return await tmux.paste(pane, data, gate=condition(gate), marker=marker)
            case Press(key=key, gate=gate, marker=marker):
                return await tmux.press(pane, [key], gate=condition(gate), marker=marker)
            case Wait(seconds=seconds):
                await trio.sleep(seconds)
            case Advance(rung=rung) | Hold(rung=rung):
                self.rungs[id_] = rung
            case _:
                raise AssertionError(effect)
        return None

    async def read(self, within_s: float | None = 0.0) -> ScreenSeen:
        """The screen at its next change, at the latest after `within_s`."""
        if within_s != 0:
            with trio.move_on_after(float("inf") if within_s is None else within_s):
                await self.pane.wait_until(lambda: len(self.pane.events) > self._known)
        self._known = len(self.pane.events)
        return await screen(self.pane, coloured=self.kind.coloured)

    def performed(self, kind: type[Effect]) -> int:
        """How many effects of this sort."""
        return sum(isinstance(effect, kind) for effect in self.events)


async def screen(pane: WatchedPane, *, coloured: bool = False) -> ScreenSeen:
    """The pane's screen as evidence."""
    seen = await pane.tmux.capture(pane.id, ansi=coloured)
    cells = read_cells(seen.lines, coloured=coloured)
    return ScreenSeen(
        at=trio.current_time(),
        lines=cells.lines,
        solid=cells.solid,
        cursor=seen.cursor,
        cursor_visible=seen.cursor_visible,
        title=seen.title,
        in_mode=seen.in_mode,
    )


def shows(lines: Sequence[str], part: str) -> bool:
    """Whether a line holds `part`."""
    return any(part in line for line in lines)
