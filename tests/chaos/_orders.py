"""Orders of several people at once, while the supervisor and its connection are killed under them."""

import random
import threading
import time

from tests.tmux.supervisor._orc import DEADLINE_S, SLEEP, Orc
from tmuxorc.errors import TmuxOrcError
from tmuxorc.model import AgentState, Desired
from tmuxorc.tmux.process import all_processes, environment_of
from tmuxorc.wire import methods as m

ALIVE = tuple(state for state in AgentState if state.alive)

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


def processes_of(orc: Orc) -> set[str]:
    """``team/name 1234`` for every process of the instance's agents, whoever may still know of it."""
    mark = f"TMUX_ORC_ID={orc.paths.socket}#".encode()
    return {
        f"{entry.removeprefix(mark).decode()} {process.pid}"
        for process in all_processes()
        for entry in environment_of(process.pid)
        if entry.startswith(mark)
    }


def panes_of(orc: Orc) -> set[str]:
    """``team/name %12`` for every pane of an agent, a dead one's too."""
    listed = orc.tmux.run("list-panes", "-s", "-t", "=_hub:", "-F", "#{@tmuxorc_agent} #{pane_id}").split("\n")
    return {line for line in listed if not line.startswith(" ")}


def unaccounted(orc: Orc) -> set[str]:
    """Processes and panes that are not in the list, or in the list only, once what is under way is done."""
    for address, view in orc.agents().items():
        if view.desired is Desired.RUNNING:
            orc.await_state(address, *ALIVE)
    deadline = time.monotonic() + DEADLINE_S
    while True:
        views = orc.agents().values()
        listed = {f"{view.address} {view.pid}" for view in views if view.state.alive}
        shown = {f"{view.address} {view.pane}" for view in views if view.pane}
        different = (processes_of(orc) ^ listed) | (panes_of(orc) ^ shown)
        if not different or time.monotonic() > deadline:
            return different
