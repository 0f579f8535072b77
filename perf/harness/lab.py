"""What benchmarks work with: private directories, whole processes, and a crew of agents under a real supervisor.

Lives in a worker, in the environment under measurement.  Everything below `Lab.root` is private; `close` ends all that
was started there.
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

R = TypeVar("R")

DEADLINE_S = 60.0
LEAKING = ("TMUX", "CLAUDECODE", "CLAUDE_CODE", "XDG_", "COLUMNS", "LINES", "COVERAGE_PROCESS")
"""Beginnings of the names of variables that would let the machine's own state leak in."""


def private_environment(root: Path) -> dict[str, str]:
    """This process's environment with every directory a program might keep state in below `root`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(LEAKING)}
    places = {"HOME": "h", "XDG_CONFIG_HOME": "c", "XDG_STATE_HOME": "s", "XDG_CACHE_HOME": "k", "XDG_DATA_HOME": "d"}
    places |= {"XDG_RUNTIME_DIR": "r", "TMUX_TMPDIR": "t"}
    for folder in places.values():
        (root / folder).mkdir(mode=0o700, exist_ok=True)
    kept |= {name: str(root / folder) for name, folder in places.items()}
    return kept | {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}


class Lab:
    """The place of one worker; `python` is its interpreter, `crew` its agents."""

    def __init__(self) -> None:
        # Of one length for everybody: the length of a path is part of what is measured.
        self.root = Path(tempfile.mkdtemp(prefix="tp-", dir="/tmp"))
        self.environment = private_environment(self.root)
        self.python = sys.executable
        self._folders = 0
        self._crew: Crew | None = None
        self.companions: set[int] = set()
        """Processes that do part of the work measured, such as a server that answers."""
        self._waited_s = 0.0

    def stopwatch(self) -> Callable[[], float]:
        """Start to measure; what it returns gives the seconds since, less those in which the work could not go on.

        It could not while this process, one it waits for, or a companion was ready to run and had no processor: what
        others do on the machine is no fault of the code under measurement.  Where several waited, the longest counts.
        """
        began, before = time.perf_counter(), self._waits()

        def elapsed() -> float:
            # Asked in this order, no wait counts that is not in the time as well.
            after, took = self._waits(), time.perf_counter() - began
            return took - max(now - then for now, then in zip(after, before, strict=True))

        return elapsed

    def _waits(self) -> list[float]:
        return [waited_s("self") + self._waited_s, *map(waited_s, sorted(self.companions))]

    def folder(self) -> Path:
        """A new empty directory."""
        self._folders += 1
        path = self.root / f"f{self._folders}"
        path.mkdir(mode=0o700)
        return path

    def program(self, name: str) -> str:
        """A program of the environment under measurement."""
        return str(Path(self.python).parent / name)

    def run(self, *argv: str, check: bool = True) -> bytes:
        """Run a whole process to its end and return what it printed."""
        done = subprocess.run(argv, env=self.environment, cwd=self.root, capture_output=True, check=False)
        if check and done.returncode:
            raise RuntimeError(f"{' '.join(argv)} gave {done.returncode}: {done.stderr.decode()[-2000:]}")
        return done.stdout

    def spawn(self, argv: tuple[str, ...]) -> None:
        """Run a whole process to its end, as cheaply as can be: what is timed should be its work, not ours."""
        quiet = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1)]
        pid = os.posix_spawn(argv[0], argv, self.environment, file_actions=quiet)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        self._waited_s += waited_s(pid)
        _, status = os.waitpid(pid, 0)
        if status:
            raise RuntimeError(f"{' '.join(argv)} gave {os.waitstatus_to_exitcode(status)}")

    def command(self, *words: str) -> Callable[[], None]:
        """An act that runs ``tmux-orc WORDS`` as a whole process."""
        argv = (self.program("tmux-orc"), *words)
        return lambda: self.spawn(argv)

    @cached_property
    def tmux(self) -> str:
        """The path of tmux."""
        found = shutil.which("tmux")
        if found is None:
            raise RuntimeError("tmux is not installed")
        return found

    def crew(self, size: int) -> "Crew":
        """A supervisor with `size` idle agents.  It is kept for whoever asks next, with more agents or fewer."""
        if self._crew is None:
            self._crew = Crew(self)
        self._crew.resize(size)
        self.companions = {self._crew.pid, self._crew.tmux_pid}
        return self._crew

    @property
    def crew_size(self) -> int:
        """How many agents the crew has now."""
        return self._crew.size if self._crew is not None else 0

    def close(self) -> None:
        """End everything and remove it."""
        if self._crew is not None:
            self._crew.close()
        for socket in self.root.glob("**/tmux-*/*"):
            self.run("tmux", "-N", "-S", str(socket), "kill-server", check=False)
        for socket in self.root.glob("*/tmux.sock"):
            self.run("tmux", "-N", "-S", str(socket), "kill-server", check=False)
        shutil.rmtree(self.root, ignore_errors=True)


class Crew:
    """Demo agents of one supervisor of its own, and questions to it."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        lab.run(lab.program("tmux-orc"), "daemon", "start")
        import msgspec

        status = msgspec.json.decode(lab.run(lab.program("tmux-orc"), "daemon", "status", "--json"))
        self.pid = int(status["pid"])
        self.socket = str(status["socket"])
        self.tmux_socket = str(status["tmux_socket"])
        self.names: list[str] = []
        self._next = 0

    @property
    def size(self) -> int:
        """How many agents there are."""
        return len(self.names)

    def ask(self, method: Any, params: Any, timeout_s: float = DEADLINE_S) -> Any:
        """One request on a connection of its own."""
        from tmuxorc.wire.client import Client

        with Client.connect(self.socket, timeout_s=timeout_s) as client:
            return client.call(method, params, timeout_s=timeout_s)

    def add(self, name: str, **fields: Any) -> Any:
        """Start one agent and return its view."""
        from tmuxorc.model import AgentSpec
        from tmuxorc.wire.methods import AGENT_SPAWN, Spawn

        given = {"kind": "demo", "cwd": str(self.lab.root), "path": self.lab.environment["PATH"]} | fields
        return self.ask(AGENT_SPAWN, Spawn(spec=AgentSpec(name=name, **given)))

    def remove(self, name: str) -> None:
        """End an agent and forget it."""
        from tmuxorc.wire.methods import AGENT_KILL, AGENT_REMOVE, StopAgent, Target

        self.ask(AGENT_KILL, Target(target=f"main/{name}"))
        self.ask(AGENT_REMOVE, StopAgent(target=f"main/{name}"))

    def resize(self, size: int) -> None:
        """Start or remove agents until there are `size`, and wait until all are idle."""
        while self.size > size:
            self.remove(self.names.pop())
        for number in range(self.size, size):
            self.add(f"d{number}")
            self.names.append(f"d{number}")
        self.settle()

    def settle(self) -> None:
        """Wait until every agent is idle."""
        for name in self.names:
            self.wait_for(name, "idle")

    def wait_for(self, name: str, state: str) -> None:
        """Wait until the agent is in that state."""
        from tmuxorc.model import AgentState
        from tmuxorc.wire.methods import AGENT_WAIT, WaitAgent

        self.ask(AGENT_WAIT, WaitAgent(target=f"main/{name}", states=(AgentState(state),), timeout_s=DEADLINE_S))

    def press(self, name: str, key: str) -> None:
        """Press a key in the agent's pane."""
        from tmuxorc.wire.methods import AGENT_KEYS, SendKeys

        self.ask(AGENT_KEYS, SendKeys(target=f"main/{name}", keys=(key,)))

    def send(self, name: str, text: str, *, submitted: bool = False) -> None:
        """Send a message; with `submitted`, wait for that rung."""
        from tmuxorc.model import Rung
        from tmuxorc.wire.methods import MESSAGE_SEND, SendMessage

        wait = Rung.SUBMITTED if submitted else None
        (view,) = self.ask(
            MESSAGE_SEND, SendMessage(target=f"main/{name}", text=text, wait=wait, timeout_s=DEADLINE_S)
        ).messages
        if submitted and view.rung not in (Rung.SUBMITTED, Rung.TAKEN_IN, Rung.ANSWERED):
            raise RuntimeError(f"{view.id} is {view.rung.value}: {view.detail}")

    def turn(self) -> str:
        """The agents' names, each in its turn."""
        self._next = (self._next + 1) % self.size
        return self.names[self._next]

    def info(self, name: str) -> Any:
        """The view of one agent."""
        from tmuxorc.wire.methods import AGENT_INFO, Target

        return self.ask(AGENT_INFO, Target(target=f"main/{name}"))

    def restarted(self, name: str, generation: int) -> None:
        """Wait until a later incarnation than `generation` has a process, without a pause longer than an answer."""
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            view = self.info(name)
            if view.generation > generation and view.pid:
                return
        raise TimeoutError(f"{name} did not come back")

    def renew(self) -> None:
        """Learn the supervisor's process anew, after it was replaced."""
        from tmuxorc.wire.methods import DAEMON_STATUS, Empty

        self.lab.companions.discard(self.pid)
        self.pid = self.ask(DAEMON_STATUS, Empty()).pid
        self.lab.companions.add(self.pid)

    @cached_property
    def tmux_pid(self) -> int:
        """The tmux server's process."""
        return int(self.lab.run("tmux", "-N", "-S", self.tmux_socket, "display-message", "-p", "#{pid}"))

    def close(self) -> None:
        """End agents, supervisor and tmux server."""
        self.lab.run(self.lab.program("tmux-orc"), "daemon", "stop", "--agents", check=False)
        self.lab.run("tmux", "-N", "-S", self.tmux_socket, "kill-server", check=False)


def waited_s(pid: int | str) -> float:
    """How long the main thread of a process was ready to run and had no processor, so far.

    Linux tells; elsewhere it is nothing, and neighbours are noise that only repetition takes away.
    """
    try:
        with open(f"/proc/{pid}/schedstat", "rb", buffering=0) as file:
            return int(file.read(100).split()[1]) / 1e9
    except OSError:
        return 0.0


def cpu_seconds(pid: int) -> float:
    """The processor time a process has used, threads that have ended included.

    clock_getcpuclockid(3) makes the clock of another process of its complemented id and the kernel's CPUCLOCK_SCHED.
    """
    return time.clock_gettime((~pid << 3) | 2)


def resident_bytes(pid: int) -> int:
    """The resident memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()


def children_faults(pid: int) -> int:
    """Page faults of the children a process has waited for: not one child can come and go without hundreds."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[8])


def descriptors(pid: int) -> int:
    """How many file descriptors a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
