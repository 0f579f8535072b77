"""What control mode does on a real tmux: every fact the connection leans on."""

import os
import signal
import subprocess

import pytest
import trio
import trio.testing

from tests.support import TmuxServer, wait_gone
from tests.tmux.panes import Panes, Record
from tmuxorc.tmux import (
    Endpoint,
    NoSuchTarget,
    PaneChanged,
    PaneEvent,
    PaneModeChanged,
    PaneOutput,
    PaneSpec,
    Tmux,
    TmuxGone,
    TmuxRefused,
    TmuxTimeout,
    open_tmux,
)
from tmuxorc.tmux._connection import connect

SECONDS = 10.0


async def test_the_hub_hears_every_window_and_changes_none(tmux: Tmux, panes: Panes):
    """One client hears all linked windows; nothing is resized, nobody counts as attached."""
    several = [await panes("sh", "-c", f"echo from {number}; exec sleep 60") for number in range(5)]
    for number, pane in enumerate(several):
        await pane.wait_screen(lambda screen, number=number: f"from {number}" in screen.lines)
    sizes = await tmux.run("list-windows", "-a", "-F", "#{window_width}x#{window_height}")
    assert set(sizes) == {b"200x50"}
    assert [session.attached for session in await tmux.list_sessions()] == [0]


async def test_a_window_outside_the_hub_is_not_heard(tmux: Tmux, panes: Panes):
    """The other half of the hub."""
    record = Record()
    made = await tmux.run("new-window", "-d", "-P", "-F", "#{pane_id}", "-t", f"{panes.session}:", "cat", "-")
    other = made[0].decode()
    tmux.watch(other, record)
    heard = await panes("cat", "-")
    for pane in (other, heard.id):
        await tmux.send_keys(pane, ["heard?"], literal=True)
    await heard.wait_output(b"heard?")
    assert not any(isinstance(event, PaneOutput) for event in record.events)


async def test_output_comes_within_milliseconds(tmux: Tmux, panes: Panes):
    """A millisecond or so; a tenth of a second is allowed for a busy machine."""
    pane = await panes("cat", "-")
    fastest = 1.0
    for letter in "abcdefgh":
        began = trio.current_time()
        await tmux.send_keys(pane.id, [letter])
        await pane.wait_output(letter.encode())
        fastest = min(fastest, trio.current_time() - began)
    assert fastest < 0.1


async def test_no_command_is_sent_before_the_attach_has_answered(endpoint: Endpoint):
    """Sent earlier, ``refresh-client`` fails now and then with "no current client"."""
    for _ in range(10):
        async with open_tmux(endpoint, instance="test") as tmux:
            await tmux.run("refresh-client", "-B", "x:%*:#{pane_id}")


async def test_attaching_to_a_session_that_is_gone_is_an_error(tmux: Tmux, endpoint: Endpoint):
    with pytest.raises(NoSuchTarget, match="can't find session"):
        async with connect(endpoint, "$99", lambda _: None):
            pytest.fail("attached to nothing")


async def test_attaching_starts_no_server(endpoint: Endpoint, tmux_server: TmuxServer):
    """``-N``."""
    with pytest.raises(TmuxGone):
        async with connect(endpoint, "$0", lambda _: None):
            pytest.fail("attached to nothing")
    assert not tmux_server.alive


async def test_a_screen_that_imitates_the_protocol_changes_nothing(tmux: Tmux, panes: Panes):
    """A block's lines are raw."""
    lines = ["%end 1 2 1", "%error 1 2 1", "%output %0 x", "%begin 1 2 1", "%exit", "%sessions-changed", "%pause %0"]
    pane = await panes.python("import sys; print('\\n'.join(sys.argv[1:]), flush=True); input()", *lines)
    screen = await pane.wait_screen(lambda screen: "%pause %0" in screen.lines)
    assert list(screen.lines[: len(lines)]) == lines
    assert await tmux.run("display-message", "-p", "still in step") == (b"still in step",)


async def test_a_hook_that_prints_into_the_stream_changes_nothing(tmux: Tmux, panes: Panes):
    await tmux.run("set-hook", "-g", "pane-died", "display-message -p '%end 1 2 1'")
    await tmux.run("set-hook", "-g", "after-show-options", "display-message -p 'a stray line'")
    pane = await panes("sh", "-c", "exit 3")
    assert (await tmux.exit_status(pane.id)).status == 3
    for _ in range(3):
        assert (await tmux.get_options(pane.id))["instance"] == "test"


async def test_bytes_come_as_they_were_written(panes: Panes):
    """Control bytes, cut UTF-8 and sequences that tmux itself discards."""
    script = """
import os, sys
os.system("stty raw -echo")
for piece in (b"\\x1b[?2004h", b"\\xc3", b"\\xa9", b"\\\\134", b"\\x1b]7501;state=working:app=codex\\x07\\x07", b"end"):
    os.write(1, piece)
sys.stdin.read()
"""
    pane = await panes.python(script)
    await pane.wait_output(b"end")
    assert pane.output.endswith(b"\x1b[?2004h\xc3\xa9\\134\x1b]7501;state=working:app=codex\x07\x07end")


async def test_titles_and_commands_are_pushed(panes: Panes):
    """Within about a second, without asking."""
    pane = await panes("sh", "-c", r"printf '\033]2;a: title, of %%1 \007'; exec sleep 60")
    changed = await pane.wait(PaneChanged, lambda event: event.title.startswith("a: title"))
    assert (changed.title.strip(), changed.command, changed.dead, changed.in_mode) == (
        "a: title, of %1",
        "sleep",
        False,
        False,
    )


async def test_copy_mode_is_told_at_once(tmux: Tmux, panes: Panes):
    """Modes need no subscription."""
    pane = await panes("cat", "-")
    await tmux.run("copy-mode", "-t", pane.id)
    await pane.wait(PaneModeChanged)
    assert (await tmux.capture(pane.id)).in_mode


async def test_tmux_may_drop_what_we_do_not_keep_up_with(tmux: Tmux):
    """Flow control is on, and the client counts for no window's size."""
    (flags,) = await tmux.run("list-clients", "-F", "#{client_flags}")
    assert b"pause-after=5" in flags
    assert b"ignore-size" in flags


async def test_a_reader_that_stalls_loses_no_pane(tmux: Tmux, panes: Panes):
    """After a stall the program is heard again, whether tmux held it back or dropped what it wrote."""
    flood = await panes("yes")
    stalls: list[PaneEvent] = []

    def stall_once(event: PaneEvent) -> None:
        if not stalls:
            stalls.append(event)
            subprocess.run(["sleep", "0.5"], check=True)
        flood(event)

    tmux.watch(flood.id, stall_once)
    await flood.wait_until(lambda: len(flood.events) > 100)
    await tmux.respawn_pane(flood.id, PaneSpec(name="x", argv=("sh", "-c", "echo going on; cat"), cwd="/"))
    await flood.wait_output(b"going on")


async def test_a_program_that_prints_without_end_stops_nobody(tmux: Tmux, panes: Panes):
    """Commands are answered while a pane writes as fast as it can."""
    flood = await panes("yes", "x" * 100)
    await flood.wait(PaneOutput)
    with trio.fail_after(SECONDS):
        for _ in range(20):
            assert await tmux.run("display-message", "-p", "here") == (b"here",)
    await tmux.close_pane(flood.id)


async def test_many_commands_at_once_get_their_own_answers(tmux: Tmux):
    answers: dict[int, tuple[bytes, ...]] = {}

    async def ask(number: int) -> None:
        answers[number] = await tmux.run("display-message", "-p", str(number))

    async with trio.open_nursery() as nursery:
        for number in range(300):
            nursery.start_soon(ask, number)
    assert answers == {number: (str(number).encode(),) for number in range(300)}


async def test_an_error_is_an_answer_like_any_other(tmux: Tmux):
    replies = await tmux.run_many(
        [("display-message", "-p", "a"), ("no-such-command",), ("display-message", "-p", "b")]
    )
    assert [reply.error for reply in replies] == [False, True, False]
    with pytest.raises(TmuxRefused) as caught:
        await tmux.run("kill-pane", "-t", "%9999")
    assert isinstance(caught.value, NoSuchTarget)
    assert await tmux.run_many([]) == []


async def test_a_cancelled_command_leaves_the_others_in_step(tmux: Tmux):
    with trio.move_on_after(0):
        await tmux.run("display-message", "-p", "not waited for")
    assert await tmux.run("display-message", "-p", "mine") == (b"mine",)


async def test_a_server_that_hangs_is_not_waited_for_for_ever(tmux: Tmux):
    os.kill(tmux.server_pid, signal.SIGSTOP)
    try:
        with pytest.raises(TmuxTimeout) as caught:
            await tmux.run("display-message", "-p", "late", deadline_s=0.2)
    finally:
        os.kill(tmux.server_pid, signal.SIGCONT)
    assert caught.value.code == "tmux_timeout"
    assert await tmux.run("display-message", "-p", "in step") == (b"in step",)


async def test_a_server_that_is_killed_fails_everything_at_once(endpoint: Endpoint, tmux_server: TmuxServer):
    failures: list[TmuxGone] = []

    async def expect_gone(tmux: Tmux, *argv: str) -> None:
        with pytest.raises(TmuxGone) as caught:
            await (tmux.run(*argv) if argv else tmux.wait_closed())
        failures.append(caught.value)

    async with open_tmux(endpoint, instance="test") as tmux:
        os.kill(tmux.server_pid, signal.SIGSTOP)
        with trio.fail_after(SECONDS):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(expect_gone, tmux)
                for _ in range(3):
                    nursery.start_soon(expect_gone, tmux, "list-sessions")
                await trio.testing.wait_all_tasks_blocked()
                os.kill(tmux.server_pid, signal.SIGKILL)
        with pytest.raises(TmuxGone):
            await tmux.run("list-sessions")
        pid = tmux.server_pid
    assert wait_gone(pid)
    assert [failure.code for failure in failures] == ["tmux_gone"] * 4


async def test_a_client_that_is_killed_is_noticed_and_the_server_stays(endpoint: Endpoint, tmux_server: TmuxServer):
    async with open_tmux(endpoint, instance="test") as tmux:
        clients = await tmux.run("list-clients", "-F", "#{client_pid}")
        os.kill(int(clients[0]), signal.SIGKILL)
        with trio.fail_after(SECONDS), pytest.raises(TmuxGone):
            await tmux.wait_closed()
    assert tmux_server.alive


async def test_a_hub_that_is_killed_is_noticed_and_made_again(endpoint: Endpoint):
    async with open_tmux(endpoint, instance="test") as tmux:
        session = await tmux.ensure_team_session("team")
        pane = await tmux.create_pane(session, PaneSpec(name="a", argv=("cat", "-"), cwd="/"))
        old = tmux.hub
        await tmux.run_many([("kill-session", "-t", old)])
        with pytest.raises(TmuxGone):
            await tmux.wait_closed()
    record = Record()
    async with open_tmux(endpoint, instance="test") as tmux:
        assert tmux.hub != old
        tmux.watch(pane.pane_id, record)
        await tmux.send_keys(pane.pane_id, ["heard again"], literal=True)
        await record.wait_output(b"heard again")


async def test_errors_of_the_block_come_out_as_they_are(endpoint: Endpoint):
    with pytest.raises(ZeroDivisionError):
        async with open_tmux(endpoint, instance="test"):
            raise ZeroDivisionError


async def test_leaving_detaches_and_nothing_else(endpoint: Endpoint, tmux_server: TmuxServer):
    async with open_tmux(endpoint, instance="test") as tmux:
        await tmux.ensure_team_session("team")
    assert tmux_server.run("list-clients") == ""
    assert len(tmux_server.run("list-sessions").splitlines()) == 2
