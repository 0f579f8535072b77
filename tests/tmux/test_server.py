"""Bringing up the server and its hub on a real tmux, in good days and bad."""

import os
import subprocess
from contextlib import nullcontext
from pathlib import Path

import pytest
import trio

from tests.support import Home, TmuxServer
from tests.tmux.panes import Panes
from tmuxorc.tmux import Endpoint, PaneSpec, TmuxGone, TmuxRefused, TmuxTimeout, find_tmux, open_tmux
from tmuxorc.tmux._open import libtmux_threads
from tmuxorc.tmux.process import open_process_watch


def endpoint_with(tmux_server: TmuxServer, home: Home, config: str) -> Endpoint:
    file = home.root / "tmux.conf"
    file.write_text(config)
    return Endpoint(binary=tmux_server.binary, socket_path=tmux_server.socket_path, config=str(file))


async def test_the_server_and_the_hub_are_made_when_missing(endpoint: Endpoint, tmux_server: TmuxServer):
    assert not tmux_server.alive
    async with open_tmux(endpoint, instance="test") as tmux:
        assert tmux.version == find_tmux(endpoint.binary).version
        assert tmux.server_pid == tmux_server.pid
        assert await tmux.list_sessions() == ()
        assert await tmux.inventory() == ()


async def test_the_directory_of_the_socket_is_made_and_private(tmux_server: TmuxServer, home: Home):
    socket = home.root / "tmux-dir" / "socket"
    endpoint = Endpoint(binary=tmux_server.binary, socket_path=str(socket), config="/dev/null")
    try:
        async with open_tmux(endpoint, instance="test"):
            assert mode(socket.parent) == 0o700
    finally:
        TmuxServer(tmux_server.binary, str(socket)).kill()


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


async def test_a_server_somebody_else_started_is_used(endpoint: Endpoint, tmux_server: TmuxServer):
    tmux_server.run("new-session", "-d", "-s", "mine", "cat", "-")
    pid = tmux_server.pid
    async with open_tmux(endpoint, instance="test") as tmux:
        assert tmux.server_pid == pid


async def test_a_server_that_is_not_ours_alone_keeps_its_options(endpoint: Endpoint, tmux_server: TmuxServer):
    tmux_server.run("new-session", "-d", "-s", "mine", "cat", "-")
    shown = ("show-options", "-g"), ("show-options", "-gw"), ("show-options", "-s")
    before = [tmux_server.run(*argv) for argv in shown]
    shared = Endpoint(binary=endpoint.binary, socket_path=endpoint.socket_path, private=False)
    async with open_tmux(shared, instance="test") as tmux:
        session = await tmux.ensure_team_session("team")
        await tmux.create_pane(session, PaneSpec(name="a", argv=("cat", "-"), cwd="/"))
    assert [tmux_server.run(*argv) for argv in shown] == before


async def test_a_person_s_configuration_is_honoured_but_what_we_rely_on_wins(tmux_server: TmuxServer, home: Home):
    config = """
set -g status-left "[mine]"
set -g base-index 5
setw -g pane-base-index 3
set -g renumber-windows on
set -g destroy-unattached on
set -g history-limit 50
set -g default-command "false"
set -g default-shell /bin/false
setw -g remain-on-exit off
setw -g automatic-rename on
setw -g allow-rename on
set -g detach-on-destroy off
"""
    async with open_tmux(endpoint_with(tmux_server, home, config), instance="test") as tmux:
        panes = Panes(tmux, await tmux.ensure_team_session("team"), "/")
        for _ in range(3):
            pane = await panes("sh", "-c", "seq 300; read line; exit 7")
            await pane.wait_screen(lambda screen: "300" in screen.lines)
            assert (await tmux.capture(pane.id, history=1000)).lines[0] == "1"
            await tmux.send_keys(pane.id, ["Enter"])
            async with open_process_watch(pane.pid) as watch:
                await watch.wait_exit()
            assert (await tmux.exit_status(pane.id)).status == 7
        assert await tmux.run("show-options", "-gv", "status-left") == (b"[mine]",)
        assert len(await tmux.inventory()) == 3


async def test_a_configuration_with_errors_does_no_harm(tmux_server: TmuxServer, home: Home):
    config = "no-such-command\nset -g no-such-option 1\nbind\n"
    async with open_tmux(endpoint_with(tmux_server, home, config), instance="test") as tmux:
        await tmux.ensure_team_session("team")


async def test_a_configuration_that_kills_tmux_is_said_to(tmux_server: TmuxServer, home: Home):
    """Some versions die of this line; those that do not must simply work."""
    endpoint = endpoint_with(tmux_server, home, "set -g window-size manual\n")
    deadly = "server exited" in tmux_server_says(endpoint)
    tmux_server.kill()
    with pytest.raises(TmuxGone, match="did not start") if deadly else nullcontext() as caught:
        async with open_tmux(endpoint, instance="test") as tmux:
            await tmux.ensure_team_session("team")
    assert caught is None or "configuration" in caught.value.hint


def tmux_server_says(endpoint: Endpoint) -> str:
    argv = [endpoint.binary, "-f", str(endpoint.config), "-S", endpoint.socket_path, "new-session", "-d", "cat", "-"]
    return subprocess.run(argv, capture_output=True, text=True, check=False).stderr


async def test_a_configuration_that_makes_sessions_of_its_own_is_left_alone(tmux_server: TmuxServer, home: Home):
    config = "new-session -d -s _hub -n team cat -\nnew-session -d -s team cat -\n"
    async with open_tmux(endpoint_with(tmux_server, home, config), instance="test") as tmux:
        await tmux.ensure_team_session("team")
        (session,) = await tmux.list_sessions()
        assert session.name == "team-2"
    assert "_hub" in tmux_server.run("list-sessions", "-F", "#{session_name}").splitlines()


async def test_a_tmux_that_hangs_is_not_waited_for_for_ever(home: Home):
    program = home.root / "hanging"
    program.write_text("#!/bin/sh\nexec sleep 1000\n")
    program.chmod(0o755)
    endpoint = Endpoint(binary=str(program), socket_path=str(home.root / "sock"))
    with pytest.raises(TmuxTimeout) as caught:
        async with open_tmux(endpoint, instance="test", deadline_s=0.2):
            pytest.fail("opened")
    assert caught.value.code == "tmux_timeout"
    with trio.fail_after(10):
        borrowers = [object() for _ in range(int(libtmux_threads.total_tokens))]
        for borrower in borrowers:  # all of them: then the thread that was left behind is through
            await libtmux_threads.acquire_on_behalf_of(borrower)
    for borrower in borrowers:
        libtmux_threads.release_on_behalf_of(borrower)


async def test_a_socket_that_cannot_be_made_is_one_clear_error(tmux_server: TmuxServer, home: Home):
    (home.root / "file").write_text("")
    for socket in (home.root / "file" / "sock", home.root / "none" / "none" / "sock"):
        endpoint = Endpoint(binary=tmux_server.binary, socket_path=str(socket), config="/dev/null")
        with pytest.raises((TmuxRefused, TmuxGone)):
            async with open_tmux(endpoint, instance="test"):
                pytest.fail("opened")


async def test_an_idle_connection_does_nothing(endpoint: Endpoint):
    """No polling: not one wake-up of the reader, and no fork, while nothing happens."""
    async with open_tmux(endpoint, instance="test") as tmux:
        session = await tmux.ensure_team_session("team")
        for _ in range(5):
            await tmux.create_pane(session, PaneSpec(name="a", argv=("cat", "-"), cwd="/"))
        await tmux.run("display-message", "-p", "settle")
        with trio.move_on_after(1.5):
            await tmux.wait_closed()
        reads = tmux.reads
        forks = count_forks()
        with trio.move_on_after(1):
            await tmux.wait_closed()
        assert tmux.reads - reads <= 1
        assert count_forks() == forks


def count_forks() -> int:
    children = subprocess.run(["ps", "--ppid", str(os.getpid()), "-o", "pid="], capture_output=True, check=False)
    return len(children.stdout.split())


async def test_a_steady_stream_costs_few_wake_ups(endpoint: Endpoint):
    """A thousand events a second are taken in by some fifty readings."""
    async with open_tmux(endpoint, instance="test") as tmux:
        session = await tmux.ensure_team_session("team")
        script = "while :; do printf 'x%s\\r' $((i+=1)); sleep 0.02; done"
        events: list[object] = []
        for _ in range(10):
            spec = PaneSpec(name="a", argv=("sh", "-c", script), cwd="/")
            await tmux.create_pane(session, spec, events.append)
        events.clear()
        reads = tmux.reads
        with trio.move_on_after(1.5):
            await tmux.wait_closed()
        assert len(events) > 150
        assert tmux.reads - reads < 120
