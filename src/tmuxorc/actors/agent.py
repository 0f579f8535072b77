"""An agent as an actor: it owns one tmux pane and the process in it, from start to exit.

Its life is here; where its pane comes from is in `_pane`, what it sees of its agent in `_observe`, what it types in
`_deliver`, how it ends its process in `_ending`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import trio

from tmuxorc.actors import Actor, ActorContext, ExitReason, Failed, Finished, Killed, StartFailed, Stopped
from tmuxorc.actors._companion import end_companion
from tmuxorc.actors._contact import Contact
from tmuxorc.actors._deliver import Courier
from tmuxorc.actors._desk import AgentDesk
from tmuxorc.actors._ending import end_process, last_lines
from tmuxorc.actors._handover import Handover
from tmuxorc.actors._observe import Observer
from tmuxorc.actors._pane import Taken, take_pane
from tmuxorc.actors._place import keep_session
from tmuxorc.actors._whole import whole
from tmuxorc.actors.launch import process_marker
from tmuxorc.actors.services import Services
from tmuxorc.agents.kinds import find_kind
from tmuxorc.channels import Place, Receipt, channel_class
from tmuxorc.errors import ActorError, TmuxError, TmuxOrcError
from tmuxorc.model import AgentState, Desired, Restart
from tmuxorc.tmux import NoSuchTarget, PaneClosed, PaneEvent, PaneInfo, PaneStatus, PaneUnlinked
from tmuxorc.tmux.process import end_tree, open_process_watch

HANG_UP_S = 1.0
"""How long a program may take to heed that its terminal is gone."""

COMPANION_GRACE_S = 2.0
"""How long an agent may take to end once the process beside it has."""


class ProcessExitError(ActorError):
    """The agent's process ended by itself, and not well."""

    code = "process_exit"


class AgentActor(Actor):
    """One incarnation of one agent.

    `strict`: a start that fails raises; otherwise it counts as an exit, so that the agent's siblings are not held up.
    """

    def __init__(self, services: Services, address: str, *, strict: bool) -> None:
        self.services = services
        self.address = address
        self.strict = strict
        self.spec = services.roster.agent(address).spec
        self.kind = find_kind(services.kinds, self.spec.kind)
        self.generation = 0
        self.exited = trio.Event()
        self._pane: PaneInfo | None = None
        self._place: Place | None = None
        self._desk: AgentDesk | None = None
        self._wake_courier: Callable[[], None] = _nobody
        self._ended_by_us = self._ended = False

    # --- start ---

    async def start(self, ctx: ActorContext) -> None:
        """Adopt the pane that is there or create one (S14); acknowledged once the process is known to run."""
        self._ctx = ctx
        try:
            if (missed := await self._missed_exit()) is not None:
                ctx.exit(missed)
                return
            taken = await self._take_pane()
        except TmuxOrcError as error:
            self.publish("agent.start_failed", error=error.message, hint=error.hint)
            if self.strict:
                raise
            ctx.exit(StartFailed(error))
            return
        self._pane, self.generation = taken.pane, taken.generation
        self.services.panes[self.address] = taken.pane
        self.publish(
            "agent.started",
            pane=taken.pane.pane_id,
            window=taken.pane.window_id,
            pid=taken.pane.pid,
            adopted=taken.adopted,
        )
        self._begin(ctx, taken)

    async def _missed_exit(self) -> ExitReason | None:
        """How the process ended that was last seen running, if nobody was there to see it; None if it still runs.

        One that went with its tmux server is nobody's failure: it comes back as if it had not ended (S13), unless it
        never comes back (S2).
        """
        row = self.services.roster.agent(self.address)
        if row.pid is None and not row.ran:
            return None
        self.generation = row.generation
        pane = self.services.panes.get(self.address)
        if pane is None:
            return self._gone_with_tmux() if self.spec.restart is Restart.TEMPORARY else None
        try:
            status = await self.services.tmux.pane_status(pane.pane_id)
        except NoSuchTarget:
            return None
        return await self._how_it_ended(pane) if status.dead else None

    def _gone_with_tmux(self) -> ExitReason:
        self._publish_exit("killed", "went with its tmux server", None, ())
        return Killed()

    async def _take_pane(self) -> Taken:
        """Not cancelled half-way: tmux would start a process that nobody owns.  One overtaken by a stop is ended."""
        taken = await whole(take_pane)(self.services, self.spec)
        try:
            await trio.lowlevel.checkpoint_if_cancelled()
        except trio.Cancelled:
            if not (taken.adopted or self.services.leaving(self.spec.team)):
                with trio.CancelScope(shield=True):
                    await end_tree(taken.pane.pid, 0.0, marker=process_marker(self.services, self.address))
            raise
        return taken

    def _begin(self, ctx: ActorContext, taken: Taken) -> None:
        pane = taken.pane
        self._observer = Observer(self.services, self.address, self.kind, pane, self.generation)
        contact, handover = self._open_channel(taken)
        courier = Courier(self.services, self.address, self.kind, pane, self.generation, self._observer, handover)
        self._wake_courier = courier.wake
        self.services.desks[self.address] = self._desk = AgentDesk(
            self.services, self.address, self.kind, pane, self._observer, contact
        )
        self.services.tmux.watch(pane.pane_id, self._on_pane_event)
        ctx.spawn(self._await_exit, pane)
        ctx.spawn(self._observer.run)
        ctx.spawn(courier.run)
        if contact is not None:
            ctx.spawn(contact.run)
        if (companion := self.services.companions.get(self.address)) is not None:
            ctx.spawn(self._await_companion, pane, companion)
        self.services.keeper.note_run(self.address)
        self._observer.begin(taken.adopted, taken.noted)

    def _open_channel(self, taken: Taken) -> tuple[Contact, Handover] | tuple[None, None]:
        """The way to speak to it besides its keyboard, if its kind has one and it is known where."""
        name = self.kind.launch.channel
        if not name or taken.place is None:
            return None, None
        self._place = taken.place

        def take_receipt(receipt: Receipt) -> None:
            handover.take_receipt(receipt)
            self._wake_courier()

        def changed() -> None:
            if contact.up:
                handover.connected()
            self.publish(
                "agent.channel", name=name, up=contact.up, why=contact.doubt if contact.up else contact.why_down
            )
            self._wake_courier()

        contact = Contact(
            channel_class(name),
            taken.place,
            versions=self.kind.versions,
            on_evidence=self._observer.feed,
            on_receipt=take_receipt,
            on_session=self._keep_session,
            on_change=changed,
        )
        self._observer.on_state = partial(self._tell_state, contact)
        handover = Handover(self.services, self.kind, contact, adopted=taken.adopted)
        return contact, handover

    def _tell_state(self, contact: Contact, state: AgentState) -> None:
        """A session that was named at the start is there once the agent has worked in it."""
        contact.seen(state)
        if state is AgentState.BUSY and self._place is not None and self._place.given:
            self._keep_session(self._place.given)

    def _keep_session(self, session: str) -> None:
        if session == self.services.roster.agent(self.address).session:
            return
        self.publish("agent.session", session=session)
        self.services.keeper.note_run(self.address)
        if self._place is not None:
            self._place = keep_session(self._place, session)

    # --- what happens to it ---

    def publish(self, type: str, **data: Any) -> None:
        """Report an event of this incarnation."""
        self.services.events.publish(type, self.address, self.generation, **data)

    async def handle(self, message: Any, ctx: ActorContext) -> object:
        """Agents are asked through the roster and told through their post; no message is known here."""
        raise ActorError(f"an agent takes no {type(message).__name__}")

    def _on_pane_event(self, event: PaneEvent) -> None:
        if self._ended_by_us:
            return  # whatever a person does to it now, it is being ended already, and can own no more tasks
        if isinstance(event, PaneUnlinked):
            self._ctx.spawn(self._end_unseen)
        elif isinstance(event, PaneClosed):
            self._ctx.spawn(self._end_closed)
        else:
            self._observer.on_pane_event(event)

    async def _await_exit(self, pane: PaneInfo) -> None:
        async with open_process_watch(pane.pid) as watch:
            await watch.wait_exit()
        self.exited.set()
        if self._ended_by_us:
            return
        reason = await self._how_it_ended(pane)
        if reason is not None:
            self._give_up_session()
            await end_companion(self.services, self.address)
            self._ctx.exit(reason)

    def _give_up_session(self) -> None:
        """A start that went on with a session and never got ready: the session may be what it failed on."""
        if self._place is not None and self._place.session and not self._observer.detector.ready:
            self._keep_session("")

    async def _await_companion(self, pane: PaneInfo, companion: PaneInfo) -> None:
        """Without what runs beside it the agent is cut off: it is ended, and comes back with both (S2)."""
        async with open_process_watch(companion.pid) as watch:
            await watch.wait_exit()
        current = self.services.companions.get(self.address)
        if self._ended_by_us or self.exited.is_set() or current is not companion:
            return
        self.publish("agent.companion_exited", pid=companion.pid)
        await end_tree(pane.pid, COMPANION_GRACE_S)

    async def _how_it_ended(self, pane: PaneInfo) -> ExitReason | None:
        """The reason to exit with, its event published; None if tmux itself is going: that is not the agent's doing."""
        try:
            status = await self.services.tmux.exit_status(pane.pane_id)
        except NoSuchTarget:
            marker = process_marker(self.services, self.address)
            await end_tree(0, self.services.grace_of(self.spec), marker=marker)
            self._end_by_person("its pane was closed by a person")
            return Stopped()
        except TmuxError:
            return None
        lines = await last_lines(self.services, pane)
        if status.status == 0:
            self._publish_exit("finished", "exited with status 0", status, lines)
            return Finished()
        message = ending_in_words(status)
        self._publish_exit("failed", message, status, lines)
        return Failed(ProcessExitError(message, details={"status": status.status, "signal": status.signal}))

    def _publish_exit(self, reason: str, message: str, status: PaneStatus | None, lines: tuple[str, ...]) -> None:
        self.publish(
            "agent.exited",
            reason=reason,
            message=message,
            status=None if status is None else status.status,
            signal=None if status is None else status.signal,
            last_lines=lines,
        )
        self.services.keeper.note_run(self.address)

    def _end_by_person(self, why: str) -> None:
        """A person ended it: that is their will, and it stays so until they start it again (S13)."""
        self.services.panes.pop(self.address, None)
        self._publish_exit("stopped", why, None, ())
        self.publish("agent.pane_closed")
        self.publish("agent.desired", desired=Desired.STOPPED)
        self.services.keeper.note_wish(self.address)

    async def _end_closed(self) -> None:
        """Its pane is closed: a program that takes no notice of the hang-up must not go on unseen either."""
        with trio.move_on_after(HANG_UP_S):
            await self.exited.wait()
        if self._pane is not None and not (self._ended_by_us or self.exited.is_set()):
            await end_process(self.services, self.spec, self._pane)

    async def _end_unseen(self) -> None:
        """Its window was taken out of its team's session: nobody can see it any more, so it must not go on."""
        if self._ended_by_us or self._pane is None:
            return
        self._ended_by_us = True
        await end_process(self.services, self.spec, self._pane)
        self._ended = True
        await self.services.tmux.close_pane(self._pane.pane_id)
        self._end_by_person("its window was closed by a person")
        self._ctx.exit(Stopped())

    # --- stop ---

    async def stop(self, reason: ExitReason) -> None:
        """End the process in order, unless it is to outlive us: we go, tmux is away, or this actor itself broke."""
        if self._pane is None:
            return
        if self.services.desks.get(self.address) is self._desk:
            del self.services.desks[self.address]
        left_alone = self.services.leaving(self.spec.team) or isinstance(reason, Failed)
        if not (left_alone or self._ended or self.exited.is_set()):
            self._ended_by_us = True
            killed = await end_process(self.services, self.spec, self._pane)
            await end_companion(self.services, self.address)
            await self._report_stop(self._pane, killed)
        if self.services.tmux_or_none is not None:
            self.services.tmux_or_none.unwatch(self._pane.pane_id)

    async def _report_stop(self, pane: PaneInfo, killed: bool) -> None:
        try:
            status: PaneStatus | None = await self.services.tmux.exit_status(pane.pane_id)
        except TmuxError:
            status = None
        if killed:
            # Our own doing, which tmux 3.3a cannot always tell.
            status = PaneStatus(dead=True, pid=pane.pid, signal="SIGKILL")
        self._publish_exit("stopped", "stopped", status, await last_lines(self.services, pane))


def _nobody() -> None:
    """Wakes nobody: there is no courier yet."""


def ending_in_words(status: PaneStatus) -> str:
    """How a process ended, for people."""
    if status.signal:
        return f"killed by {status.signal}"
    if status.status is None:
        return "ended; how, tmux cannot say"
    return f"exited with status {status.status}"
