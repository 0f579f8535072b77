"""Orders of several people at once, while the supervisor and its connection are killed under them."""

import random
import threading
import time
from collections import defaultdict

from tests.tmux.supervisor._orc import DEADLINE_S, SLEEP, Orc
from tmuxorc.errors import TmuxOrcError
from tmuxorc.model import AgentView, Desired
from tmuxorc.tmux.process import all_processes, environment_of
from tmuxorc.wire import methods as m

KNOWN_REFUSALS = {
    *("not_found", "name_taken", "under_way", "superseded", "team_down", "stopping"),
    *("unreachable", "timed_out", "tmux_away", "tmux_gone", "tmux_no_target"),
}


class People:
    """Each gives one order after another about agents of a few names, some of them the others' too."""

    def __init__(self, orc: Orc, rng: random.Random) -> None:
        self.orc = orc
        self.refusals: set[str] = set()
        self._over = threading.Event()
        seeds = [rng.random() for _ in range(4)]
        self._threads = [threading.Thread(target=self._order, args=(random.Random(seed),)) for seed in seeds]

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _order(self, rng: random.Random) -> None:
        while not self._over.is_set():
            name = f"agent-{rng.randrange(6)}"
            target = m.Target(target=name)
            orders = (
                lambda name=name: self.orc.spawn(name, *SLEEP),
                lambda name=name: self.orc.spawn(name, *SLEEP),
                lambda name=name: self.orc.start(name),
                lambda name=name: self.orc.stop(name),
                lambda name=name: self.orc.restart(name),
                lambda name=name: self.orc.remove(name),
                lambda target=target: self.orc.call(m.AGENT_KILL, target),
            )
            try:
                rng.choice(orders)()
            except TmuxOrcError as error:
                self.refusals.add(error.code)
            self._over.wait(rng.uniform(0.0, 0.05))


def processes_of(orc: Orc) -> dict[str, list[int]]:
    """Every process of the instance's agents, by address, whoever may still know of it."""
    mark = f"TMUX_ORC_ID={orc.paths.socket}#".encode()
    found: defaultdict[str, list[int]] = defaultdict(list)
    for process in all_processes():
        for entry in environment_of(process.pid):
            if entry.startswith(mark):
                found[entry.removeprefix(mark).decode()].append(process.pid)
    return dict(found)


def strange_panes(orc: Orc, wanted: set[str]) -> set[str]:
    """Panes, as ``team/name %12``, that are not `wanted` or are missing, once those of removed agents are closed."""
    deadline = time.monotonic() + DEADLINE_S
    while True:
        listed = orc.tmux.run("list-panes", "-s", "-t", "=_hub:", "-F", "#{@tmuxorc_agent} #{pane_id}").split("\n")
        strange = {line for line in listed if not line.startswith(" ")} ^ wanted
        if not strange or time.monotonic() > deadline:
            return strange


def settled(orc: Orc) -> dict[str, AgentView]:
    """All agents, once each is what is wanted of it."""
    for address, view in orc.agents().items():
        if view.desired is Desired.RUNNING:
            orc.await_state(address, *[state for state in type(view.state) if state.alive])
    return orc.agents()
