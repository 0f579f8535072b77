"""One real agent with its throwaway home and the scripted model, driven through ``tmux-orc`` as a person would."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.e2e.agents.homes import make_home
from tests.e2e.agents.model import ModelServer, Request
from tests.support import Cli, wait_gone

DEADLINE_S = 90.0
"""What an agent may take for anything on a busy machine."""

PEER = "main/bob"
"""Who the messages are from where agents speak to agents."""


XDG = {"CONFIG": ".config", "DATA": ".local/share", "STATE": ".local/state", "CACHE": ".cache"}
"""The test's own directories are no place for an agent's."""


class World:
    """See the module's text; `name` is the agent's."""

    name = "alice"

    def __init__(self, kind: str, model: ModelServer, cli: Cli, folder: Path) -> None:
        self.kind = kind
        self.model = model
        self._cli = cli
        self.home = make_home(kind, folder / "agent", port=model.port, project=folder / "project")

    def close(self) -> None:
        """End whatever the agent left behind."""
        self._cli("daemon", "stop", "--agents", timeout_s=60)
        self.home.end()

    # --- commands ---

    def orc(self, *words: str, timeout_s: float = DEADLINE_S) -> Any:
        """A command's result."""
        at = words.index("--") if "--" in words else len(words)
        done = self._cli(*words[:at], "--json", *words[at:], timeout_s=timeout_s, env={"PATH": self._path()})
        assert done.status == 0, f"tmux-orc {' '.join(words)} gave {done.status}: {done.stderr}\n{self.told()}"
        return json.loads(done.stdout)

    def refused(self, *words: str) -> str:
        """The code of the error that a command ends with."""
        done = self._cli(*words, "--json", env={"PATH": self._path()})
        assert done.status != 0
        return str(done.error["code"])

    def _path(self) -> str:
        return f"{self.home.env['PATH']}:{os.environ['PATH']}"

    def spawn(self) -> dict[str, Any]:
        """Start the agent and wait until it is ready."""
        given = {name: value for name, value in self.home.env.items() if name != "PATH"}
        given |= {f"XDG_{name}_HOME": f"{given['HOME']}/{folder}" for name, folder in XDG.items()}
        variables = [word for name, value in given.items() for word in ("-e", f"{name}={value}")]
        words = ["spawn", self.name, "--kind", self.kind, "--cwd", str(self.home.cwd), *variables, "--wait", "ready"]
        return self.orc(*words, "--timeout", str(DEADLINE_S), "--", *self.home.argv)

    def info(self) -> dict[str, Any]:
        """All about the agent."""
        return self.orc("agent", "info", self.name)

    def until(self, *states: str) -> dict[str, Any]:
        """Wait until it is in one of `states`."""
        wanted = [word for state in states for word in ("--state", state)]
        return self.orc("wait", self.name, *wanted, "--timeout", str(DEADLINE_S))

    def prompt(self) -> dict[str, Any]:
        """What it asks, once all of that is known: a title may say that it asks before its channel says what."""
        self.until("blocked")
        self.look_until(lambda: self.info()["prompt"] is not None)
        return dict(self.info()["prompt"])

    def look_until(self, there: Callable[[], bool]) -> None:
        """Ask again and again, for what nothing tells of."""
        deadline = time.monotonic() + DEADLINE_S
        while not there():
            if time.monotonic() > deadline:
                raise TimeoutError(self.told())

    def send(self, text: str, *options: str, sender: str = "operator") -> dict[str, Any]:
        """Send one message; with ``--wait RUNG`` among the options it has come so far."""
        words = ["send", self.name, "-", "--from", sender, *options, "--timeout", str(DEADLINE_S), "--json"]
        done = self._cli(*words, stdin=text, timeout_s=DEADLINE_S + 10)
        assert done.status == 0, f"{text[:80]!r} gave {done.status}: {done.stderr}\n{self.told()}"
        (message,) = done.json["messages"]
        return dict(message)

    def screen(self) -> str:
        """What the pane shows."""
        return "\n".join(self.orc("screen", self.name)["lines"])

    def told(self) -> str:
        """Everything that helps to see what went wrong."""
        pieces = [
            self._cli(*words).stdout for words in (("screen", self.name), ("why", self.name), ("message", "list"))
        ]
        log = self._cli("daemon", "logs").stdout[-3000:]
        return "\n".join([*pieces, log])

    # --- the model ---

    def asked(self, text: str, timeout_s: float = DEADLINE_S) -> Request:
        """The first turn in which the model was given `text`, wherever the agent puts it."""
        return self.model.wait_for(lambda request: bool(times(text, request)), timeout_s)

    def told_times(self, text: str) -> int:
        """How often the model was told `text` in all of the session, as the newest turn has it."""
        return times(text, self.model.turns[-1])

    # --- accidents ---

    def kill_agent(self) -> int:
        """``kill -9`` the agent's process."""
        pid = int(self.info()["pid"])
        os.kill(pid, signal.SIGKILL)
        assert wait_gone(pid)
        return pid

    def kill_supervisor(self) -> None:
        """``kill -9`` the supervisor."""
        pid = int(self.orc("daemon", "status")["pid"])
        os.kill(pid, signal.SIGKILL)
        assert wait_gone(pid)


def times(text: str, request: Request) -> int:
    """How often `text` stands in what the model was given."""
    return json.dumps(request.body, ensure_ascii=False).count(json.dumps(text, ensure_ascii=False)[1:-1])
