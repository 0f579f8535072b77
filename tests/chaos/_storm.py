"""Messages flow to demo agents while parts of the system are killed; what every agent took in is compared afterwards.

The journal says which messages were accepted, each agent's own record what it took in: neither can flatter the other.
"""

import json
import os
import random
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.support import wait_gone
from tests.tmux.supervisor._orc import Orc
from tmuxorc.daemon import launch
from tmuxorc.errors import RemoteError, TimedOutError, UnreachableError, WireError
from tmuxorc.model import AgentState, AgentView, MessageView, Restart, Rung
from tmuxorc.wire import methods as m

AGENTS = ("alice", "bob", "carol")
DEMO = (sys.executable, "-I", "-m", "tmuxorc.agents.demo", "--think=0.05")

CALM_S = 60.0
"""Longest wait for everything that waits to be delivered once the killing is over."""

SETTLED_WELL = (Rung.SUBMITTED, Rung.TAKEN_IN)
LOST_REPLIES = (UnreachableError, TimedOutError, WireError)


@dataclass
class Sent:
    """What one sender knows: texts it has an id for, and texts it was given no answer about."""

    acknowledged: dict[str, str] = field(default_factory=dict[str, str])
    unanswered: set[str] = field(default_factory=set[str])


class Storm:
    """One run: `orc` is the instance, `seed` decides what is killed when and what is sent."""

    def __init__(self, orc: Orc, root: Path, seed: int) -> None:
        self.orc = orc
        self.root = root
        self.random = random.Random(seed)
        self.sent = {name: Sent() for name in AGENTS}
        self.kills = dict.fromkeys(AGENTS, 0)
        """How many processes of each agent were killed, with their tmux server or alone."""
        self._over = threading.Event()
        for name in AGENTS:
            demo = (*DEMO, "--record", str(self._file(name)))
            orc.spawn(name, *demo, kind="demo", wait="ready", restart=Restart.PERMANENT)
        self.before = orc.agents()

    def _file(self, name: str) -> Path:
        return self.root / f"{name}.record"

    # --- the flow ---

    @contextmanager
    def flow(self) -> Iterator[None]:
        """Within, one sender for each agent sends one message after another; failures of the senders are raised."""
        seeds = {name: self.random.random() for name in AGENTS}
        failures: list[Exception] = []

        def send(name: str) -> None:
            try:
                self._send(name, random.Random(seeds[name]))
            except Exception as error:  # noqa: BLE001
                failures.append(error)

        senders = [threading.Thread(target=send, args=(name,)) for name in AGENTS]
        for sender in senders:
            sender.start()
        try:
            yield
        finally:
            self._over.set()
            for sender in senders:
                sender.join()
        assert not failures, failures

    def _send(self, name: str, rng: random.Random) -> None:
        number = 0
        while not self._over.is_set():
            number += 1
            text = f"{rng.choice(['echo', 'work 0.03', 'say'])} {name} {number}\nsecond line"
            self._send_one(name, text)
            self._over.wait(rng.uniform(0.0, 0.06))

    def _send_one(self, name: str, text: str) -> None:
        params = m.SendMessage(target=f"main/{name}", text=text)
        try:
            (message,) = self.orc.call(m.MESSAGE_SEND, params).messages
        except RemoteError as error:
            # Refused: the mailbox is full, or the supervisor is on its way down.
            assert error.code in ("mailbox_full", "stopping", "journal"), error  # noqa: PT017
            self._over.wait(0.1)
        except LOST_REPLIES:
            self.sent[name].unanswered.add(text)
            self._over.wait(0.05)
        else:
            self.sent[name].acknowledged[message.id] = text

    # --- the killing ---

    def strike(self, rounds: int, *what: Callable[[], None]) -> None:
        """Kill one of `what` `rounds` times, at random moments."""
        for _ in range(rounds):
            self._over.wait(self.random.uniform(0.02, 0.5))
            self.random.choice(what)()

    def kill_supervisor(self) -> None:
        """``kill -9``, and start the next one, at once or a moment later."""
        pid = launch.running_pid(self.orc.paths)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert wait_gone(pid)
        self._over.wait(self.random.choice([0.0, 0.0, 0.3]))
        launch.ensure_running(self.orc.paths)

    def restart_supervisor(self) -> None:
        """In order, while messages are on their way."""
        launch.restart(self.orc.paths)

    def kill_tmux_client(self) -> None:
        """The supervisor's ``tmux -C``; nothing if it has none just now."""
        for client in self.orc.tmux.run("list-clients", "-F", "#{client_pid}", check=False).split():
            with suppress(ProcessLookupError, ValueError):
                os.kill(int(client), signal.SIGKILL)

    def kill_tmux_server(self) -> None:
        """All agents' processes go with it."""
        pid = self.orc.tmux.pid
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
            assert wait_gone(pid)
            for name in AGENTS:
                self.kills[name] += 1

    def kill_agent(self) -> None:
        """One agent's own process, which its supervisor brings back; each at most three times, short of quarantine."""
        name = self.random.choice([name for name in AGENTS if self.kills[name] < 3] or [None])
        pid = None if name is None else self.orc.info(name).pid
        if name is not None and pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                self.kills[name] += 1

    # --- afterwards ---

    def calm_down(self) -> None:
        """Wait until every agent runs again and all that was sent to it is settled.

        Messages go to an agent in order: when a last one has arrived, all before it have.
        """
        launch.ensure_running(self.orc.paths)
        for name in AGENTS:
            params = m.WaitAgent(target=name, states=(AgentState.IDLE, AgentState.BUSY), timeout_s=CALM_S)
            self.orc.call(m.AGENT_WAIT, params, CALM_S)
        for name in AGENTS:
            text = f"echo {name} last"
            last = m.SendMessage(target=name, text=text, wait=Rung.SUBMITTED, timeout_s=CALM_S)
            (message,) = self.orc.call(m.MESSAGE_SEND, last, CALM_S).messages
            self.sent[name].acknowledged[message.id] = text
        for name in AGENTS:
            params = m.WaitAgent(target=name, states=(AgentState.IDLE,), timeout_s=CALM_S)
            self.orc.call(m.AGENT_WAIT, params, CALM_S)

    def accepted(self, name: str) -> list[MessageView]:
        """All messages to the agent, as the journal has them, oldest first."""
        found = self.orc.call(m.MESSAGE_LIST, m.ListMessages(target=name, limit=10_000)).messages
        return sorted(found, key=lambda message: int(message.id.removeprefix("m-")))

    def taken_in(self, name: str) -> list[str]:
        """Every text the agent took in, in its order."""
        file = self._file(name)
        return [json.loads(line)["text"] for line in file.read_text().splitlines()] if file.exists() else []

    def check_messages(self, *, unclear: bool) -> int:
        """Nothing lost, doubled or out of order; returns how many messages are `unverified`.

        With `unclear`, each killed process may have taken one message, and its own queue, with it.
        """
        return sum(self._check_agent(name, unclear=unclear) for name in AGENTS)

    def _check_agent(self, name: str, *, unclear: bool) -> int:
        sent, accepted, taken = self.sent[name], self.accepted(name), self.taken_in(name)
        texts = {message.id: message.text for message in accepted}
        rungs = {message.text: message.rung for message in accepted}
        assert len(rungs) == len(accepted), "a text was accepted twice"
        assert sent.acknowledged.items() <= texts.items(), "an acknowledged message is not in the journal"
        assert set(texts.values()) <= {*sent.acknowledged.values(), *sent.unanswered}
        assert len(set(taken)) == len(taken), f"doubled: {[text for text in taken if taken.count(text) > 1]}"
        assert set(taken) <= set(rungs), "taken in, and not in the journal"
        order = [message.text for message in accepted if message.text in set(taken)]
        assert taken == order, "out of order"
        lost = [message for message in accepted if message.text not in set(taken)]
        unverified = [message for message in accepted if message.rung is Rung.UNVERIFIED]
        for message in accepted:
            assert message.rung in (*SETTLED_WELL, Rung.UNVERIFIED), message
        for message in lost:
            assert message.rung is not Rung.TAKEN_IN, message
            assert unclear, f"lost: {message}"
        assert len(lost) + len(unverified) <= 2 * self.kills[name], (lost, unverified)
        return len(unverified)

    def check_alive(self) -> dict[str, AgentView]:
        """Every agent that is listed as alive has its process and its pane; all are alive here."""
        panes = self.orc.tmux.run("list-panes", "-a", "-F", "#{pane_id} #{pane_pid} #{pane_dead}").split("\n")
        now = self.orc.agents()
        assert now.keys() == self.before.keys()
        for view in now.values():
            assert view.state.alive, view
            assert f"{view.pane} {view.pid} 0" in panes, view
            assert view.messages_waiting == 0, view
        return now
