"""What a screen says about one message: is its text in the composer, in the transcript, on the line of the cursor."""

import re

from tmuxorc.agents.evidence import ScreenSeen
from tmuxorc.agents.frame import Box, exactly, find_box, find_dialog, left_of_cursor, pattern, region_lines
from tmuxorc.agents.kinds import Kind
from tmuxorc.agents.schema import Region

_TAIL = 40


def ink(text: str, tab: str = "") -> str:
    """The printable ASCII of `text` without blanks, and without what a program shows as `tab`.

    All else is painted differently by each program: tabs and line ends, wide and zero-width characters.
    """
    return "".join(char for char in text if "!" <= char <= "~").replace(tab, "")


def other_ink(text: str) -> int:
    """How many letters and digits of `text` are not ASCII."""
    return 0 if text.isascii() else sum(char > "~" and char.isalnum() for char in text)


class Look:
    """A kind's eyes for one text."""

    def __init__(self, kind: Kind, text: str) -> None:
        self._kind = kind
        self._tab = kind.composer.tab if kind.composer else ""
        self._ink = ink(text, self._tab)
        self._other = other_ink(text)
        self._tail = ink(text.rstrip().rpartition("\n")[2])[-_TAIL:]
        self._head = ink(text.split("\n", 1)[0], self._tab)[:_TAIL] or self._ink[:_TAIL]

    def obstacle(self, screen: ScreenSeen) -> str | None:
        """Why nothing may be typed into a composer now, or None; says nothing of what is in it."""
        if screen.in_mode:
            return "a person is looking at the pane in copy mode"
        if find_dialog(self._kind, screen) is not None:
            return "a dialog waits for an answer"
        if self.box(screen) is None:
            return "no composer is on the screen"
        return None

    def box(self, screen: ScreenSeen) -> Box | None:
        """The composer, if it shows."""
        return find_box(self._kind.composer, screen)

    def vacant(self, screen: ScreenSeen) -> tuple[str, ...]:
        """The patterns that the lines of this empty composer match.

        tmux sees no colours: a placeholder is named as it stands, so that one typed character shuts the gate.
        """
        composer, box = self._kind.composer, self.box(screen)
        if composer is None or box is None:
            raise ValueError("there is no composer on the screen")
        return tuple(map(exactly, screen.lines[box.top : box.bottom])) if screen.solid else (composer.empty,)

    def holds_ours(self, box: Box) -> bool:
        """Whether the composer holds the text and nothing else: all of it, a part that fits, or its collapsed form."""
        if box.empty:
            return False
        composer = self._kind.composer
        if composer and composer.collapsed and pattern(composer.collapsed).search(re.sub(r"\s", "", box.text)):
            return True
        return self._is_ours(box.text) or (bool(box.solid.strip()) and self._is_ours(box.solid))

    def _is_ours(self, shown: str) -> bool:
        inked = ink(shown, self._tab)
        return inked in self._ink and other_ink(shown) <= self._other and bool(inked or not self._ink)

    def entries(self, screen: ScreenSeen) -> int:
        """How many times the transcript shows the text as a message taken in."""
        composer = self._kind.composer
        if composer is None or not composer.entry_first or not self._head:
            return 0
        box = self.box(screen)
        lines = screen.lines[: box.top] if box else screen.lines
        return sum(self._entry_at(lines, row, composer.entry_first, composer.entry_rest) for row in range(len(lines)))

    def _entry_at(self, lines: tuple[str, ...], row: int, first: str, rest: str) -> bool:
        match = pattern(first).search(lines[row])
        if match is None:
            return False
        text = lines[row][match.end() :]
        for line in lines[row + 1 :]:
            more = pattern(rest).search(line) if rest else None
            if more is None:
                break
            text += line[more.end() :]
        shown = ink(text, self._tab)
        return shown == self._ink or (len(self._head) == _TAIL and shown.startswith(self._head))

    def queued(self, screen: ScreenSeen) -> bool:
        """Whether the footer says that a message is kept for later."""
        queued = self._kind.deliver.queued
        footer = region_lines(self._kind, screen, Region.FOOTER)
        return bool(queued) and any(pattern(queued).search(line) for line in footer)

    def gone(self, screen: ScreenSeen) -> bool:
        """Whether a composer that is there only while it can be typed into has gone, for the program is at work."""
        composer = self._kind.composer
        return composer is not None and composer.open and not screen.cursor_visible and not screen.in_mode

    def prompted(self, screen: ScreenSeen) -> bool:
        """Whether the cursor stands behind a prompt, with nothing typed."""
        prompt = self._kind.deliver.prompt
        return not prompt or bool(pattern(prompt).search(left_of_cursor(screen)))

    def echoed(self, screen: ScreenSeen, before: ScreenSeen | None) -> bool:
        """Whether the screen shows the text's end: left of the cursor, or once more than `before`.

        A text that wraps may have only its last part on the line of the cursor.
        """
        if not self._tail:
            return False
        if before is not None and self._count(screen) > self._count(before):
            return True
        line = ink(left_of_cursor(screen))
        moved = before is None or screen.cursor != before.cursor
        return moved and (line.endswith(self._tail) or (len(line) >= 3 and self._tail.endswith(line)))

    def _count(self, screen: ScreenSeen) -> int:
        """How often the text's end is on the screen, across wrapped lines."""
        return ink("".join(screen.lines)).count(self._tail)
