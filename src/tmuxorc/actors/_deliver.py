"""What an agent's actor types: it performs the effects of the delivery ladder, one message at a time."""

import trio

from tmuxorc.actors._handover import Handover
from tmuxorc.actors._observe import Observer
from tmuxorc.actors.services import Services
from tmuxorc.agents.evidence import ScreenSeen
from tmuxorc.agents.kinds import Kind
from tmuxorc.delivery import (
    Advance,
    Done,
    Effect,
    Hold,
    Ladder,
    Outbox,
    Paste,
    Press,
    ReadScreen,
    Result,
    Wait,
)
from tmuxorc.delivery.condition import condition
from tmuxorc.errors import TmuxError
from tmuxorc.model import AgentState, MessageView, Rung
from tmuxorc.tmux import NoSuchTarget, PaneInfo, TmuxGone, TmuxTimeout

SAY_AGAIN_S = 10.0

_GONE = ("tmux_away", NoSuchTarget.code, TmuxGone.code, TmuxTimeout.code)


class Courier:
    """Delivers one incarnation's messages, in their order, one under way at a time."""

    def __init__(
        self,
        services: Services,
        address: str,
        kind: Kind,
        pane: PaneInfo,
        generation: int,
        observer: Observer,
        handover: Handover | None = None,
    ) -> None:
        self._services = services
        self._address = address
        self._kind = kind
        self._pane = pane
        self._incarnation = f"{generation}.{pane.pid}"
        self._observer = observer
        self._handover = handover
        self._outbox: Outbox | None = None
        self._new_mail = trio.Event()
        self._held: tuple[str, AgentState] | None = None
        self._reason = ""
        self._said_at = 0.0
        self._seen = 0

    # --- from the post ---

    def take_in(self, message: MessageView) -> None:
        """One more message, behind the others."""
        if self._outbox is not None:
            self._outbox.add(message)
        self._new_mail.set()

    def wake(self) -> None:
        """Something has changed besides the post and the screen."""
        self._new_mail.set()
        self._observer.touch()
        self._observer.nudge()

    def give_back(self, message_id: str) -> bool:
        """Take a message out again if nothing of it has been typed."""
        return self._outbox is not None and self._outbox.take_out(message_id)

    # --- the task ---

    async def run(self) -> None:
        """Deliver what waits whenever the agent can take it; for ever."""
        try:
            await self._deliver()
        except TmuxError as error:
            if error.code not in _GONE:
                raise
            # The pane or tmux is gone: whoever sees to that ends this task.
            await trio.sleep_forever()

    async def _deliver(self) -> None:
        options = await self._services.tmux.get_options(self._pane.pane_id)
        with self._services.post.receiving(self._address, self):
            waiting = self._services.post.waiting(self._address)
            self._outbox = Outbox(
                self._kind,
                incarnation=self._incarnation,
                marker=options.get("delivery", ""),
                messages=waiting if self._handover is None else self._handover.begin(waiting),
            )
            while True:
                await self._deliver_next(self._outbox)

    async def _deliver_next(self, outbox: Outbox) -> None:
        changed = self._observer.change()
        if self._handover is not None and await self._handover.advance(outbox):
            return
        ladder = outbox.begin(self._observer.detector.state, self._observer.own_command, self._obstacle)
        if ladder is not None:
            await self._climb(outbox, ladder)
        elif outbox.waiting:
            await self._say_why(outbox)
            await self._wait(changed)
        else:
            await self._wait(self._new_mail)

    @property
    def _obstacle(self) -> str:
        return self._handover.obstacle if self._handover is not None else ""

    async def _wait(self, changed: trio.Event) -> None:
        await changed.wait()
        self._new_mail = trio.Event()

    async def _say_why(self, outbox: Outbox) -> None:
        """Journal why the first message stands still, once for each reason; a start that goes on needs no word.

        In one state the reason is told anew at most every `SAY_AGAIN_S`: the detail may hold a clock that ticks.
        """
        state = self._observer.detector.state
        message, reason = outbox.waiting[0], self._obstacle or outbox.reason(state)
        held, now = (message.id, state.state), trio.current_time()
        said = held == self._held and (reason == self._reason or now < self._said_at + SAY_AGAIN_S)
        if said or state.state is AgentState.STARTING:
            return
        self._held, self._reason, self._said_at = held, reason, now
        await self._advance(message.id, Rung.HELD, reason, reason)

    async def _climb(self, outbox: Outbox, ladder: Ladder) -> None:
        if self._handover is not None:
            self._handover.note_typed(ladder.message)
        effect = ladder.begin()
        while not isinstance(effect, Done):
            result = await self._perform(ladder.message.id, effect)
            if outbox.current is not ladder:
                return  # it expired meanwhile, with nothing typed
            if ladder.untouched and self._handover is not None and self._handover.takes(ladder.message):
                outbox.put_aside()  # while it waited for its turn at the keyboard a better way has opened
                return
            effect = ladder.answer(result)
        outbox.finish(ladder)
        if self._handover is None or not self._handover.gives_receipts:
            self._services.post.finish(ladder.message)

    async def _perform(self, message_id: str, effect: Effect) -> Result:
        match effect:
            case ReadScreen(within_s=within_s):
                return await self._read(within_s)
            case Paste():
                return await self._services.tmux.paste(
                    self._pane.pane_id, effect.data, gate=condition(effect.gate), marker=effect.marker
                )
            case Press():
                return await self._services.tmux.press(
                    self._pane.pane_id, [effect.key], gate=condition(effect.gate), marker=effect.marker
                )
            case Wait(seconds=seconds):
                await trio.sleep(seconds)
            case Advance():
                await self._advance(message_id, effect.rung, effect.evidence, effect.detail)
            case Hold():
                await self._advance(message_id, effect.rung, effect.reason, effect.reason)
            case _:
                raise AssertionError(effect)
        return None

    async def _advance(self, message_id: str, rung: Rung, evidence: str, detail: str) -> None:
        """Not given up while the journal refuses: nothing more is typed before it is known what has been."""
        services = self._services
        await services.grudge.insist(
            lambda: services.post.advance(services.journal, message_id, rung, evidence, detail)
        )

    async def _read(self, within_s: float | None) -> ScreenSeen:
        """The screen, once it has changed since it was last read here, at the latest after `within_s`."""
        if within_s != 0:
            with trio.move_on_after(float("inf") if within_s is None else within_s):
                await self._observer.output_after(self._seen)
        self._seen = self._observer.outputs
        screen = await self._observer.look()
        if screen is None:
            # The pane or tmux is gone: whoever sees to that ends this task.
            await trio.sleep_forever()
            raise AssertionError("unreachable")
        return screen
