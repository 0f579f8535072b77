"""``kill -9`` of supervisor, tmux client, tmux server and agents at random moments, while messages flow."""

import json
from pathlib import Path

from tests.chaos._orders import KNOWN_REFUSALS, People, unaccounted
from tests.chaos._storm import Storm
from tmuxorc.daemon import launch
from tmuxorc.model import AgentView, Desired


def identity(view: AgentView) -> tuple[object, ...]:
    return view.pane, view.window, view.pid, view.generation, view.restarts, view.created_at


def check_log(storm: Storm) -> None:
    """No traceback, and nothing a library wrote past the log."""
    lines = Path(storm.orc.paths.log).read_text().splitlines()
    assert not [line for line in lines if "traceback" in json.loads(line)]


def test_supervisors_and_their_connections_die_and_no_agent_notices(storm: Storm) -> None:
    """Every message exactly once and verified; panes, processes and generations as they were."""
    with storm.flow():
        storm.strike(5, storm.kill_supervisor, storm.restart_supervisor, storm.kill_tmux_client)
    storm.calm_down()
    assert storm.check_messages(unclear=False) == 0
    now = storm.check_alive()
    for address, view in storm.before.items():
        assert identity(now[address]) == identity(view)
    check_log(storm)


def test_agents_and_supervisors_die(storm: Storm) -> None:
    """Agents come back; what a killed one had in its hands is told as such, everything else is taken in once."""
    with storm.flow():
        storm.strike(6, storm.kill_agent, storm.kill_agent, storm.kill_supervisor, storm.kill_tmux_client)
    storm.calm_down()
    storm.check_messages(unclear=True)
    now = storm.check_alive()
    for address, view in storm.before.items():
        assert now[address].pane == view.pane
        assert now[address].generation == 1 + storm.kills[view.name]
    check_log(storm)


def test_tmux_servers_die_and_the_agents_come_back(storm: Storm) -> None:
    """No message is doubled by the loss of every pane with all that was noted on it."""
    with storm.flow():
        storm.strike(3, storm.kill_tmux_server, storm.kill_tmux_server, storm.kill_supervisor)
    storm.calm_down()
    storm.check_messages(unclear=True)
    storm.check_alive()
    check_log(storm)


def test_orders_that_race_with_deaths_leave_what_the_list_says(storm: Storm) -> None:
    """No process, and no pane, that is nobody's; none too many, none that is missing."""
    people = People(storm.orc, storm.random)
    with people:
        storm.strike(7, storm.kill_supervisor, storm.kill_tmux_client, storm.kill_tmux_client)
    launch.ensure_running(storm.orc.paths)
    assert people.refusals <= KNOWN_REFUSALS
    assert unaccounted(storm.orc) == set()
    assert all(view.state.alive for view in storm.orc.agents().values() if view.desired is Desired.RUNNING)
    check_log(storm)
