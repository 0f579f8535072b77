"""Workers as their parent sees them: started in an environment, asked for samples, and always ended."""

import json
import os
import selectors
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

DEADLINE_S = 180.0

BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from perf.harness.worker import main; main()"


class DidNotRun(Exception):
    """A benchmark could not be measured; the message holds the traceback of the worker."""


class Remote:
    """One worker.  `python` is the environment's interpreter, `harness` the folder that holds `perf`."""

    def __init__(self, python: str, harness: Path) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            [python, "-P", "-c", BOOT, str(harness)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        os.set_blocking(self._stdout.fileno(), False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._stdout, selectors.EVENT_READ)
        self._received = b""
        self._open = False
        self._root = ""
        try:
            self._root = str(self._answer()["root"])
        except DidNotRun:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _tb: TracebackType | None
    ) -> None:
        self.close()

    def open(self, name: str, point: int | None) -> None:
        """Set a benchmark up.  Raises `DidNotRun`."""
        self._ask(do="open", name=name, point=point)
        self._open = True

    def sample(self, count: int = 1, turn: int = 0) -> list[float]:
        """Take samples of the open benchmark on the processor whose `turn` it is.  Raises `DidNotRun`."""
        return [float(value) for value in self._ask(do="sample", count=count, turn=turn)["values"]]

    def shut(self) -> None:
        """Clean the open benchmark up; fine if there is none.  Raises `DidNotRun`."""
        if self._open:
            self._open = False
            self._ask(do="close")

    def _ask(self, **command: object) -> dict[str, Any]:
        try:
            self._stdin.write(json.dumps(command).encode() + b"\n")
            self._stdin.flush()
        except OSError as error:
            raise DidNotRun(f"the worker is gone: {error}\n{self._said()}") from None
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        deadline = time.monotonic() + DEADLINE_S
        while b"\n" not in self._received:
            if not self._selector.select(max(0.0, deadline - time.monotonic())):
                self._kill()
                raise DidNotRun(f"no answer within {DEADLINE_S:g} s\n{self._said()}")
            data = os.read(self._stdout.fileno(), 1 << 16)
            if not data:
                raise DidNotRun(f"the worker died\n{self._said()}")
            self._received += data
        line, _, self._received = self._received.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            self._open = False
            raise DidNotRun(answer["error"])
        return answer

    def _said(self) -> str:
        self._log.seek(0)
        return self._log.read().decode(errors="replace")[-4000:]

    def _kill(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)

    def close(self) -> None:
        """End the worker and all it started."""
        try:
            self._stdin.close()
        except OSError:
            self._kill()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._kill()
            self._process.wait()
        sweep(self._root)
        self._selector.close()
        self._stdout.close()
        self._log.close()


def sweep(root: str) -> None:
    """End what a killed worker left below `root`: tmux servers with all in them, and supervisors."""
    folder = Path(root)
    if not root or not folder.is_dir():
        return
    for place in folder.rglob("*"):
        if place.is_socket():
            subprocess.run(["tmux", "-N", "-S", str(place), "kill-server"], capture_output=True, check=False)
    for process in Path("/proc").glob("[0-9]*"):
        if _works_below(process, root):
            os.kill(int(process.name), signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


def _works_below(process: Path, root: str) -> bool:
    try:
        return f"={root}/".encode() in (process / "environ").read_bytes()
    except OSError:
        return False
