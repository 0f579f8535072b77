"""The demo agent's program: terminal modes, the one loop, and what its messages make it do to itself."""

import os
import select
import signal
import sys
import termios
import time

from tmuxorc.agents.demo._keys import KeyReader
from tmuxorc.agents.demo._paint import changes, paint
from tmuxorc.agents.demo._session import FRAME_S, Session

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing it would cost a third of the start
    from typing import Any, NoReturn

USAGE = """usage: python -I -m tmuxorc.agents.demo [options]

  --record FILE       append one JSON line for every message taken in
  --start-delay S     take S seconds before the composer is painted (default 0)
  --think S           how long an ordinary message keeps it busy (default 0.2)
  --trust             begin with a question whether to trust the folder
"""
_ESCAPE_S = 0.05


class Program:
    """The terminal and the clock around one `Session`."""

    def __init__(self, session: Session, record: str | None) -> None:
        self._session = session
        self._record = record
        self._keys = KeyReader()
        self._rows: list[str] = []
        self._wake, wake_write = os.pipe()
        os.set_blocking(wake_write, False)
        os.set_blocking(self._wake, False)
        signal.signal(signal.SIGWINCH, _no_op)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)

    def run(self) -> "NoReturn":
        """Until exit: paint, wait for a key, the clock or a resize."""
        while True:
            self._session.tick(time.time())
            self._act()
            self._paint()
            self._wait()

    def _paint(self) -> None:
        size = os.get_terminal_size(1)
        picture = paint(self._session, max(1, size.lines), max(1, size.columns), time.time())
        write(changes(self._rows, picture))
        self._rows = picture[0]

    def _timeout(self) -> float | None:
        if self._keys.waiting_escape:
            return _ESCAPE_S
        deadline = self._session.deadline()
        if deadline is None:
            return None
        return min(FRAME_S, max(0.0, deadline - time.time()))

    def _wait(self) -> None:
        ready, _, _ = select.select([0, self._wake], [], [], self._timeout())
        if self._wake in ready:
            os.read(self._wake, 4096)
            self._rows = []
        if 0 in ready:
            self._read()
        elif not ready and self._keys.waiting_escape:
            self._press(self._keys.flush_escape())

    def _read(self) -> None:
        try:
            data = os.read(0, 65536)
        except OSError:
            data = b""
        if not data:
            leave(0)
        self._press(self._keys.feed(data))

    def _press(self, keys: list[tuple[str, str]]) -> None:
        for key in keys:
            self._session.press(key, time.time())
            self._act()

    def _act(self) -> None:
        acts, self._session.acts = self._session.acts, []
        for name, argument in acts:
            getattr(self, "_act_" + name)(argument)

    def _act_exit(self, argument: str) -> None:
        self._paint()
        leave(int(argument))

    def _act_crash(self, argument: str) -> None:
        self._paint()
        if argument.isdigit():
            leave(int(argument), "demo agent: crashed on request\n")
        os.kill(os.getpid(), getattr(signal, "SIG" + argument.upper().removeprefix("SIG"), signal.SIGKILL))

    def _act_hang(self, argument: str) -> None:
        self._paint()
        time.sleep(min(float(argument), 1e8))

    def _act_restart(self, argument: str) -> None:
        """Begin again in this process, slowly."""
        write("\x1b[?2004l\x1b[2J")
        arguments = [a for a in sys.argv[1:] if not a.startswith("--start-delay")]
        again = [sys.executable, "-I", "-m", "tmuxorc.agents.demo", f"--start-delay={argument}", *arguments]
        os.execv(sys.executable, again)

    def _act_title(self, argument: str) -> None:
        write(f"\x1b]2;{argument}\x07")

    def _act_osc(self, argument: str) -> None:
        write(f"\x1b]7501;{argument}\x07")

    def _act_bell(self, _: str) -> None:
        write("\x07")

    def _act_record(self, argument: str) -> None:
        if self._record is None:
            return
        import json  # only a recorded agent pays for it

        line = json.dumps({"text": argument, "pid": os.getpid(), "at": time.time()}) + "\n"
        descriptor = os.open(self._record, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)


def _no_op(number: int, frame: object) -> None:
    """Let the signal wake the loop, which is all it is for."""


def write(text: str) -> None:
    """All of `text` to the terminal; what cannot be encoded becomes a question mark."""
    data = text.encode("utf-8", "replace")
    while data:
        data = data[os.write(1, data) :]


def leave(status: int, last_words: str = "") -> "NoReturn":
    """End now, with the terminal as it was found."""
    try:
        write(f"\x1b[?2004l\x1b[?25h\x1b[999;1H\n{last_words}")
        if modes := _SAVED_MODES:
            termios.tcsetattr(0, termios.TCSADRAIN, modes[0])
    finally:
        os._exit(status & 255)


_SAVED_MODES: "list[list[Any]]" = []


def raw_mode() -> None:
    """Every key at once and unchanged; output is left alone but for newlines."""
    _SAVED_MODES.append(termios.tcgetattr(0))
    modes = termios.tcgetattr(0)
    modes[0] &= ~(termios.ICRNL | termios.INLCR | termios.IXON | termios.ISTRIP | termios.BRKINT)
    modes[3] &= ~(termios.ECHO | termios.ICANON | termios.ISIG | termios.IEXTEN)
    modes[6][termios.VMIN], modes[6][termios.VTIME] = 1, 0
    termios.tcsetattr(0, termios.TCSANOW, modes)


def options(arguments: list[str]) -> dict[str, str]:
    """The command line as a mapping; anything unknown ends the program with the usage."""
    found: dict[str, str] = {}
    rest = list(arguments)
    while rest:
        name, has_value, value = rest.pop(0).partition("=")
        if name == "--trust":
            found[name] = "yes"
        elif name in ("--record", "--start-delay", "--think") and (has_value or rest):
            found[name] = value if has_value else rest.pop(0)
        else:
            sys.stderr.write(USAGE)
            sys.exit(2)
    return found


def main() -> "NoReturn":
    """Run until told to stop."""
    chosen = options(sys.argv[1:])
    if not (os.isatty(0) and os.isatty(1)):
        sys.stderr.write("the demo agent needs a terminal\n")
        sys.exit(2)
    raw_mode()
    if delay := float(chosen.get("--start-delay", "0")):
        write("demo agent is starting…\r\n")
        time.sleep(delay)
    termios.tcflush(0, termios.TCIFLUSH)
    write("\x1b]2;demo\x07\x1b[?2004h")
    session = Session(think_s=float(chosen.get("--think", "0.2")), trust="--trust" in chosen)
    Program(session, chosen.get("--record")).run()


if __name__ == "__main__":
    main()
