"""A world small enough to try by the thousand: the demo agent's own session, a model of tmux, a journal, a person.

Time is virtual and everything happens between two effects of the delivery, as a schedule says.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import msgspec

from tmuxorc.agents.demo._keys import PASTE_BEGIN, PASTE_END, KeyReader
from tmuxorc.agents.demo._paint import paint
from tmuxorc.agents.demo._session import Dialog, Session
from tmuxorc.agents.detect import Detector
from tmuxorc.agents.evidence import ProcessStarted, ScreenSeen
from tmuxorc.agents.kinds import load_kinds
from tmuxorc.delivery import Advance, Done, Effect, Gate, Hold, Ladder, Outbox, Paste, Press, ReadScreen, Result, Wait
from tmuxorc.model import MessageView, Rung

DEMO = load_kinds()["demo"]
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
ROWS, COLUMNS = 16, 60


def message(number: int, text: str, *, rung: Rung = Rung.ACCEPTED, sender: str = "operator") -> MessageView:
    """An unsettled message."""
    return MessageView(
        id=f"m-{number}",
        sender=sender,
        target="main/a",
        text=text,
        rung=rung,
        detail="",
        created_at=EPOCH,
        updated_at=EPOCH,
    )


class Killed(Exception):
    """The supervisor was killed between two steps."""


class Pane:
    """tmux's side: the marker, copy mode, the screen as last painted; and the agent behind it.

    With `lag` the agent reads its input only when the schedule says so, else at once.
    """

    def __init__(self, *, lag: bool = False) -> None:
        self.lag = lag
        self.now = 1000.0
        self.marker = ""
        self.in_mode = False
        self.incarnation = 1
        self.records: list[str] = []
        self.wrong: list[str] = []
        self.changed = True
        self.crashed = False
        self.swallow = 0
        self.presses = 0
        self._start()

    def _start(self) -> None:
        self.session = Session(think_s=0.5)
        self._keys = KeyReader()
        self._input: list[bytes] = []
        self.paint()

    def crash(self, *, new_pane: bool = False) -> None:
        """The agent's process dies and another one is started in the pane, or in a new one."""
        self.crashed = True
        self.marker = "" if new_pane else self.marker
        self.incarnation += 1
        self._start()

    def paint(self) -> None:
        """The agent paints itself; tmux has it at once."""
        rows, cursor = paint(self.session, ROWS, COLUMNS, self.now)
        lines = tuple(row.rstrip() for row in rows)
        cursor_at = (cursor[1], cursor[0]) if cursor else (0, 0)
        screen = ScreenSeen(at=self.now, lines=lines, cursor=cursor_at, cursor_visible=cursor is not None)
        self.changed = self.changed or lines != getattr(self, "screen", screen).lines or screen != self._last()
        self.screen = screen

    def _last(self) -> ScreenSeen:
        return msgspec.structs.replace(getattr(self, "screen", ScreenSeen(at=0, lines=())), at=self.now)

    def pass_time(self, seconds: float) -> None:
        """The clock goes on, and the agent with it."""
        self.now += seconds
        self.session.tick(self.now)
        self._act()
        self.paint()

    def run_agent(self) -> None:
        """The agent reads what has come, all in one read as after a hang."""
        data, self._input = b"".join(self._input), []
        for key in self._keys.feed(data) if data else []:
            self.session.press(key, self.now)
        self._act()
        self.paint()

    def _act(self) -> None:
        self.records += [text for name, text in self.session.acts if name == "record"]
        self.session.acts = []

    def type(self, data: bytes) -> None:
        """Bytes for the agent, from anybody."""
        self._input.append(data)
        if not self.lag:
            self.run_agent()

    def open_dialog(self) -> None:
        """A turn asks for something."""
        self.session.dialog = self.session.dialog or Dialog("Permission needed", "Run: x", ["say yes"], ["say no"])
        self.paint()

    def gate_holds(self, gate: Gate) -> bool:
        """What tmux would say."""
        lines = self.screen.lines

        def shows(regex: str) -> bool:
            return any(re.search(regex, line) for line in lines)

        return (
            not self.in_mode
            and gate.marker == self.marker
            and gate.cursor in (None, self.screen.cursor)
            and all(map(shows, gate.shows))
            and not any(map(shows, gate.hides))
        )

    def paste(self, effect: Paste) -> bool:
        """As one batch in tmux."""
        if not self.gate_holds(effect.gate):
            return False
        self._note_dialog("paste")
        self.marker = effect.marker
        self.type(PASTE_BEGIN + effect.data + PASTE_END)
        return True

    def press(self, effect: Press) -> bool:
        """As one batch in tmux."""
        if not self.gate_holds(effect.gate):
            return False
        self._note_dialog("Enter")
        self.marker = effect.marker
        self.presses += 1
        self.swallow -= 1
        if self.swallow < 0:
            self.type(b"\r")
        return True

    def _note_dialog(self, what: str) -> None:
        if self.session.dialog:
            self.wrong.append(f"{what} into a dialog")


class World:
    """A pane, a journal of messages, and supervisors that come and go."""

    def __init__(self, messages: Sequence[MessageView], schedule: Sequence[str], *, lag: bool = False) -> None:
        self.pane = Pane(lag=lag)
        self.journal = {message.id: message for message in messages}
        self.kills = 0
        self.steps: Iterator[str] = iter(schedule)
        self.calm = False
        self._idle_turns = 0

    def rung(self, number: int) -> Rung:
        """Where a message stands in the journal."""
        return self.journal[f"m-{number}"].rung

    def settle(self) -> None:
        """One supervisor after another, until every message is settled."""
        while any(not message.rung.settled for message in self.journal.values()):
            try:
                self._supervise(self.pane.incarnation)
            except Killed:
                self.kills += 1

    def _supervise(self, incarnation: int) -> None:
        outbox = Outbox(
            DEMO,
            incarnation=str(incarnation),
            marker=self.pane.marker,
            messages=[message for message in self.journal.values() if not message.rung.settled],
        )
        detector = Detector(DEMO)
        detector.feed(ProcessStarted(at=self.pane.now))
        while len(outbox) and self.pane.incarnation == incarnation:
            detector.feed(self._look())
            ladder = outbox.begin(detector.state)
            if ladder is None:
                self._read(None)
            elif self._climb(ladder, incarnation):
                outbox.finish(ladder)

    def _climb(self, ladder: Ladder, incarnation: int) -> bool:
        """Perform the ladder's effects; False if the agent died meanwhile and the ladder is dropped."""
        effect = ladder.begin()
        while not isinstance(effect, Done):
            self._step()
            if self.pane.incarnation != incarnation:
                return False
            result = self._perform(ladder, effect)
            self._step()
            if self.pane.incarnation != incarnation:
                return False
            effect = ladder.answer(result)
        return True

    def _perform(self, ladder: Ladder, effect: Effect) -> Result:
        match effect:
            case ReadScreen(within_s=within_s):
                return self._read(within_s)
            case Paste():
                return self.pane.paste(effect)
            case Press():
                return self.pane.press(effect)
            case Wait(seconds=seconds):
                self.pane.pass_time(seconds)
            case Advance(rung=rung) | Hold(rung=rung):
                self._journal(ladder.message.id, rung)
            case _:
                raise AssertionError(effect)
        return None

    def _journal(self, id_: str, rung: Rung) -> None:
        self.journal[id_] = msgspec.structs.replace(self.journal[id_], rung=rung)

    def _look(self) -> ScreenSeen:
        self.pane.changed = False
        return msgspec.structs.replace(self.pane.screen, at=self.pane.now, in_mode=self.pane.in_mode)

    def _read(self, within_s: float | None) -> ScreenSeen:
        until = None if within_s is None else self.pane.now + within_s
        incarnation = self.pane.incarnation
        while not self.pane.changed and (until is None or self.pane.now < until):
            if incarnation != self.pane.incarnation:
                break
            self.pane.pass_time(0.1)
            self._step()
        return self._look()

    def _step(self) -> None:
        """One thing that the schedule wants; at its end the world calms down."""
        step = next(self.steps, None)
        if step is None:
            self._calm_down()
        else:
            getattr(self, "do_" + step)()

    def _calm_down(self) -> None:
        """Everybody does what is due; that this ends is part of what is tested."""
        self.calm = True
        pane = self.pane
        pane.lag = False
        pane.run_agent()
        self._idle_turns += 1
        assert self._idle_turns < 5000, "nothing moves any more"
        if self._idle_turns % 7 == 0:
            self._person_helps()

    def _person_helps(self) -> None:
        pane = self.pane
        if pane.in_mode:
            self.do_copy_mode()
        elif pane.session.dialog:
            pane.type(b"n")
        elif self._idle_turns % 700 == 0 and pane.session.composer:
            pane.type(b"\x15")

    def do_nothing(self) -> None:
        """Nothing happens."""

    def do_agent(self) -> None:
        """The agent gets the processor."""
        self.pane.run_agent()

    def do_time(self) -> None:
        """A while passes."""
        self.pane.pass_time(0.3)

    def do_long(self) -> None:
        """A long while passes."""
        self.pane.pass_time(3.0)

    def do_dialog(self) -> None:
        """A question opens."""
        self.pane.open_dialog()

    def do_answer(self) -> None:
        """A person answers it."""
        if self.pane.session.dialog:
            self.pane.type(b"y")

    def do_draft(self) -> None:
        """A person types."""
        self.pane.type(b"~")

    def do_erase(self) -> None:
        """A person empties the composer."""
        self.pane.type(b"\x15")

    def do_copy_mode(self) -> None:
        """A person enters or leaves copy mode."""
        self.pane.in_mode = not self.pane.in_mode
        self.pane.changed = True

    def do_crash(self) -> None:
        """The agent dies and comes back."""
        self.pane.crash()

    def do_new_pane(self) -> None:
        """The pane dies with its agent, and its marker with it."""
        self.pane.crash(new_pane=True)

    def do_kill(self) -> None:
        """The supervisor dies."""
        raise Killed
