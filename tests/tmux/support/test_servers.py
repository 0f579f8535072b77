"""Private tmux servers: alive when started, gone when killed, found by the leak gate when forgotten."""

import os

from tests.support import Home, LeakGate, TmuxServer
from tests.support.servers import servers_in


def test_a_private_server_lives_from_start_to_kill(tmux_server: TmuxServer) -> None:
    assert not tmux_server.alive
    tmux_server.run("new-session", "-d", "-s", "one")
    assert tmux_server.alive
    tmux_server.kill()
    assert not tmux_server.alive


def test_even_the_default_server_is_private(home: Home, tmux_binary: str) -> None:
    os.spawnlp(os.P_WAIT, tmux_binary, "tmux", "-f", "/dev/null", "new-session", "-d")
    servers = servers_in(home.tmux, tmux_binary)
    alive = [server.alive for server in servers]
    for server in servers:
        server.kill()
    assert alive == [True]


def test_a_forgotten_server_is_found_and_ended(home: Home, tmux_server: TmuxServer) -> None:
    gate = LeakGate.open(home.root, settle_s=0.2)
    tmux_server.run("new-session", "-d", "sleep 1000")
    found = gate.leaks(everywhere=True)
    assert len(found) == 2
    assert not tmux_server.alive
