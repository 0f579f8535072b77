"""What the demo agent is doing: keys and the time in, a picture of itself and things to do out.  No I/O, no clock."""

from time import localtime, strftime

from tmuxorc.agents.demo._keys import Key

Act = tuple[str, str]
"""Something the program must do: ``exit crash hang title osc bell record`` with its argument."""

SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
FRAME_S = 0.1
GREETING = ("demo agent", "send it: work N, ask WHAT, limit N, crash, exit N, hang, spin, echo TEXT", "")
_BIG_PASTE = 2000
_MANY_LINES = 20
_TRANSCRIPT = 400


class Dialog:
    """A question that takes all keys until it is answered."""

    def __init__(self, title: str, question: str, yes: list[str], no: list[str]) -> None:
        self.title = title
        self.question = question
        self.script = {True: yes, False: no}
        self.choice = True


class Session:
    """The agent's whole state.  `think_s` is how long an ordinary message keeps it busy."""

    def __init__(self, *, think_s: float = 0.2, trust: bool = False) -> None:
        self.transcript: list[str] = list(GREETING)
        self.composer: list[str] = []
        self.queue: list[str] = []
        self.dialog = Dialog("Trust this folder?", "Trust: the files here", [], ["exit 1"]) if trust else None
        self.acts: list[Act] = []
        self.limited_until = 0.0
        self.busy_since = 0.0
        self.notice = ""
        self._think_s = think_s
        self._busy_until: float | None = None
        self._then: list[str] = []

    @property
    def busy(self) -> bool:
        """Whether a turn runs (a question or a rate limit within it included)."""
        return self._busy_until is not None

    @property
    def limited(self) -> bool:
        """Whether the turn waits for a rate limit to pass."""
        return self.busy and self.limited_until > 0

    @property
    def draft(self) -> str:
        """The composer's text in full."""
        return "".join(self.composer)

    def shown_draft(self) -> str:
        """The composer's text as painted: a big paste is shown by its size."""
        return "".join(_collapsed(part) for part in self.composer)

    def deadline(self) -> float | None:
        """When something changes by itself; a dialog stops the clock."""
        return None if self.dialog else self._busy_until

    def footer(self) -> str:
        """The line below the composer: it tells the state, as the real programs' footers do."""
        queued = f" · {len(self.queue)} queued" if self.queue else ""
        if self.limited:
            return "limited until " + strftime("%H:%M:%S", localtime(self.limited_until)) + queued
        if self.busy:
            return "esc to interrupt" + queued
        return self.notice or "? for help"

    def tick(self, now: float) -> None:
        """Let time pass: end what is due and begin what waits."""
        while not self.dialog and self._busy_until is not None and self._busy_until <= now:
            self._step(now)

    def press(self, key: Key, now: float) -> None:
        """One key from the terminal."""
        kind, value = key
        self.notice = ""
        if self.dialog:
            self._answer(self.dialog, kind, value, now)
        elif kind in ("text", "paste"):
            self.composer.append(value)
        else:
            self._control(value, now)

    def _control(self, name: str, now: float) -> None:
        if name == "enter":
            self._submit(now)
        elif name == "newline":
            self.composer.append("\n")
        elif name == "backspace":
            self._backspace()
        elif name == "ctrl-u":
            self.composer.clear()
        elif name == "escape" and self.busy:
            self._interrupt(now)
        elif name == "ctrl-c":
            self._ctrl_c(now)
        elif name == "ctrl-d" and not self.composer:
            self.acts.append(("exit", "0"))

    def _ctrl_c(self, now: float) -> None:
        if self.composer:
            self.composer.clear()
        elif self.busy:
            self._interrupt(now)
        else:
            self.acts.append(("exit", "0"))

    def _backspace(self) -> None:
        if self.composer:
            last = self.composer.pop()
            if _collapsed(last) == last and len(last) > 1:
                self.composer.append(last[:-1])

    def _submit(self, now: float) -> None:
        text = self.draft
        if not text.strip():
            return
        self.composer.clear()
        if text.endswith("\\"):
            self.composer.append(text[:-1] + "\n")
            return
        if text.startswith("/"):
            self.say(f"unknown command: {text.split()[0]}")
        elif self.busy:
            self.queue.append(text)
        else:
            self._take_in(text, now)

    def _take_in(self, text: str, now: float) -> None:
        self.acts.append(("record", text))
        shown = _collapsed(text).split("\n")
        self.say("> " + shown[0], *("  " + line for line in shown[1:]))
        self.busy_since = now
        self._busy_until = now
        self._then = [_script(text)]
        self.tick(now)

    def _step(self, now: float) -> None:
        """The current stretch of work is over: run the next step, or take in the next message, or rest."""
        self.limited_until = 0.0
        if self._then:
            self._run(self._then.pop(0), now)
        elif self.queue:
            self._take_in(self.queue.pop(0), now)
        else:
            self._busy_until = None
            self.acts.append(("bell", ""))

    def _run(self, step: str, now: float) -> None:
        word, _, rest = step.partition(" ")
        action = getattr(self, "_do_" + word.replace("-", "_"), None)
        if action is None:
            self._wait(now, self._think_s, "say ok: " + step[:200])
        else:
            action(rest, now)

    def _wait(self, now: float, seconds: float, *then: str) -> None:
        self._busy_until = now + seconds
        self._then[:0] = then

    def _do_work(self, rest: str, now: float) -> None:
        seconds = _number(rest, 1.0)
        self._wait(now, seconds, f"say worked {seconds:g} s")

    def _do_spin(self, rest: str, now: float) -> None:
        self._wait(now, float("inf"))

    def _do_limit(self, rest: str, now: float) -> None:
        self._wait(now, _number(rest, 5.0), "say the limit has passed")
        self.limited_until = now + _number(rest, 5.0)

    def _do_ask(self, rest: str, now: float) -> None:
        what = rest or "rm -rf build"
        yes, no = ["work 0.2", f"say ran: {what}"], [f"say refused: {what}"]
        self.dialog = Dialog("Permission needed", f"Run: {what}", yes, no)

    def _do_say(self, rest: str, now: float) -> None:
        self.say("● " + rest, "")

    _do_echo = _do_say

    def _do_lines(self, rest: str, now: float) -> None:
        self.say(*(f"  line {n}" for n in range(1, int(_number(rest, 100)) + 1)))

    def _do_exit(self, rest: str, now: float) -> None:
        self.say("● bye")
        self.acts.append(("exit", str(int(_number(rest, 0)))))

    def _do_crash(self, rest: str, now: float) -> None:
        self.acts.append(("crash", rest.strip() or "1"))

    def _do_hang(self, rest: str, now: float) -> None:
        self.acts.append(("hang", str(_number(rest, float("inf")))))

    def _do_title(self, rest: str, now: float) -> None:
        self.acts.append(("title", rest))

    def _do_osc(self, rest: str, now: float) -> None:
        self.acts.append(("osc", rest))

    def _do_slow_start(self, rest: str, now: float) -> None:
        self.acts.append(("restart", str(_number(rest, 1.0))))

    def _interrupt(self, now: float) -> None:
        self._then.clear()
        self.say("● interrupted", "")
        self._busy_until = now
        self.tick(now)

    def _answer(self, dialog: Dialog, kind: str, value: str, now: float) -> None:
        """Enter takes the marked choice, whatever was pasted or typed before it: as in the real programs."""
        if kind == "text":
            self._choose(dialog, {"y": True, "1": True, "n": False, "2": False}.get(value), now)
        elif kind == "key" and value in ("up", "down"):
            dialog.choice = value == "up"
        elif kind == "key":
            self._choose(dialog, {"enter": dialog.choice, "escape": False, "ctrl-c": False}.get(value), now)

    def _choose(self, dialog: Dialog, choice: bool | None, now: float) -> None:
        if choice is None:
            return
        self.dialog = None
        self._then[:0] = dialog.script[choice]
        if self._then and not self.busy:
            self.busy_since = now
        if self._then or self.busy:
            self._busy_until = now
            self.tick(now)

    def say(self, *lines: str) -> None:
        """Add lines to the transcript."""
        self.transcript.extend(lines)
        del self.transcript[:-_TRANSCRIPT]


def _script(text: str) -> str:
    """The line that is the script: the first, after a line ``[m-17 from …]`` that says who writes."""
    lines = text.strip().split("\n")
    framed = lines[0].startswith("[") and lines[0].endswith("]") and len(lines) > 1
    return lines[1 if framed else 0].strip()


def _collapsed(text: str) -> str:
    if len(text) <= _BIG_PASTE and text.count("\n") < _MANY_LINES:
        return text
    return f"[Pasted {len(text.encode('utf-8', 'surrogateescape'))} bytes]"


def _number(text: str, default: float) -> float:
    try:
        return max(0.0, float(text.split(maxsplit=1)[0]))
    except (ValueError, IndexError):
        return default
