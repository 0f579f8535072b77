"""Panes on a real tmux: how they start, what they are, how they end, and whose they are."""

import os
import signal
import sys
from pathlib import Path

import pytest
import trio

from tests.support import Home, TmuxServer
from tests.tmux.panes import Panes, Record
from tmuxorc.errors import ExitStatus
from tmuxorc.tmux import (
    BadDirectory,
    Endpoint,
    NoSuchTarget,
    PaneChanged,
    PaneClosed,
    PaneSpec,
    PaneUnlinked,
    ProgramNotFound,
    SessionClosed,
    SessionOpened,
    Tmux,
    TmuxRefused,
    escape,
    open_tmux,
)
from tmuxorc.tmux.process import find_process, foreground_pgid, open_process_watch

HOSTILE = [
    "two  blanks",
    "new\nline\nand\ttab",
    "%end 1 2 1",
    "#{pane_id} #(touch PWNED) #[fg=red] ##[x] ### #,#}",
    "$HOME `touch PWNED` $(touch PWNED) ~ ~root",
    'it\'s "quoted" \\ \\n \\101;',
    ";",
    "-t",
    "{} } %if 1",
    "ü 世界 🎉",
    "\udcff\udcfe",
]
"""Text that has meaning to one of the languages it passes through."""


def read(file: str) -> bytes:
    return Path(file).read_bytes()


async def test_the_agent_is_the_pane_s_own_process(panes: Panes):
    """No shell stands before it, also if it is one word."""
    for argv in (("cat",), ("cat", "-")):
        pane = await panes(*argv)
        await pane.wait(PaneChanged, lambda event: event.command == "cat")
        assert read(f"/proc/{pane.pid}/cmdline").split(b"\0")[:-1] == [word.encode() for word in argv]


async def test_arguments_and_environment_arrive_as_they_are(panes: Panes):
    """Nothing on the way expands, splits or drops anything."""
    script = "import os, sys; print(ascii((sys.argv[1:], os.environ['HOSTILE'])), flush=True); input()"
    value = "\n".join(HOSTILE)
    pane = await panes.python(script, *HOSTILE, env={"HOSTILE": value})
    await pane.wait_output(b")\r\n")
    assert pane.output.decode().strip() == ascii((HOSTILE, value))


@pytest.mark.parametrize("name", [name for name in HOSTILE if name not in (";", "-t")])
async def test_any_directory_will_do(panes: Panes, home: Home, name: str):
    """A directory's name is a format to tmux; and one with a newline must not garble what tmux lists."""
    directory = home.root / name.replace("/", "")
    directory.mkdir()
    pane = await panes.python("import os; print(os.getcwdb().hex() + '.'); input()", cwd=str(directory))
    await pane.wait_output(b".\r\n")
    assert bytes.fromhex(pane.output.decode().strip(".\r\n")) == os.fsencode(directory)
    assert [found.pane_id for found in await panes.tmux.inventory()] == [pane.id]
    assert not list(home.root.rglob("PWNED"))


# Newer versions refuse a window's name with a newline, or one that is not UTF-8; a program may still ask for the title.
@pytest.mark.parametrize("name", HOSTILE)
async def test_any_window_name_and_title_will_do(panes: Panes, name: str):
    """Free text stands in no listing of ours."""
    pane = await panes("cat", "-", name=name if name.isprintable() else "plain")
    await panes.tmux.run("select-pane", "-t", pane.id, "-T", escape(name))
    assert [found.pane_id for found in await panes.tmux.inventory()] == [pane.id]
    assert [session.team for session in await panes.tmux.list_sessions()] == ["team"]


async def test_variables_are_unset(panes: Panes):
    """Markers that the server inherited are gone."""
    await panes.tmux.run("set-environment", "-g", "CLAUDECODE", "1")
    script = "import os; print(os.environ.get('CLAUDECODE'), os.environ.get('KEPT'), flush=True); input()"
    pane = await panes.python(script, unset=("CLAUDECODE", "NEVER_SET"), env={"KEPT": "yes"})
    await pane.wait_output(b"None yes")


async def test_the_program_is_found_on_the_path_given(panes: Panes, home: Home):
    program = home.root / "bin dir" / "my=program"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho it is me; exec cat\n")
    program.chmod(0o755)
    pane = await panes("my=program", env={"PATH": f"{program.parent}:/usr/bin:/bin"})
    await pane.wait_output(b"it is me")


async def test_a_window_has_the_size_it_was_given(endpoint: Endpoint):
    """Not 80x24."""
    async with open_tmux(endpoint, instance="test", size=(132, 43)) as tmux:
        session = await tmux.ensure_team_session("team")
        pane = await tmux.create_pane(session, PaneSpec(name="a", argv=("cat", "-"), cwd="/"))
        screen = await tmux.capture(pane.pane_id)
        assert (screen.columns, screen.rows, len(screen.lines)) == (132, 43, 43)
        (size,) = await tmux.run("display-message", "-p", "-t", pane.pane_id, "#{window-size}")
        assert size == b"latest"


async def test_the_first_pane_has_the_history_it_should(endpoint: Endpoint, home: Home):
    """Set before the first pane, or that one keeps the default of 2000 lines."""
    async with open_tmux(endpoint, instance="test", history_limit=6000) as tmux:
        panes = Panes(tmux, await tmux.ensure_team_session("team"), str(home.root))
        pane = await panes("sh", "-c", "seq 5000; echo done; exec cat")
        await pane.wait_screen(lambda screen: "done" in screen.lines)
        screen = await tmux.capture(pane.id, history=6000)
        assert screen.lines[0] == "1"
        assert screen.history_lines == len(screen.lines) - screen.rows > 4900


async def test_a_screen_is_read_as_it_is(panes: Panes):
    script = r"printf '\033]2;a  title\007\033[?1049h\033[2J\033[3;5H\033[31mred\033[0m ü\033[?25l'; exec cat"
    pane = await panes("sh", "-c", script)
    screen = await pane.wait_screen(lambda screen: not screen.cursor_visible)
    assert screen.lines[2] == "    red ü"
    assert (screen.cursor, screen.alternate_on, screen.title, screen.in_mode) == ((9, 2), True, "a  title", False)
    coloured = await panes.tmux.capture(pane.id, ansi=True)
    assert "\x1b[31mred" in coloured.lines[2]


@pytest.mark.parametrize("status", [0, 1, 42, 255])
async def test_an_exit_status_is_known(panes: Panes, status: int):
    """The dead pane keeps it."""
    pane = await panes("sh", "-c", f"exit {status}")
    async with open_process_watch(pane.pid) as watch:
        await watch.wait_exit()
    found = await panes.tmux.exit_status(pane.id)
    assert (found.dead, found.status, found.signal) == (True, status, None)


async def test_no_exit_status_is_lost(panes: Panes):
    """Tmux 3.3a misses one SIGCHLD in ten; the server is made to look."""
    for number in range(30):
        pane = await panes("sh", "-c", f"echo x; exit {number}")
        async with open_process_watch(pane.pid) as watch:
            await watch.wait_exit()
        assert (await panes.tmux.exit_status(pane.id)).status == number


async def test_a_deadly_signal_is_known_within_milliseconds(panes: Panes):
    fastest = 1.0
    for _ in range(5):
        pane = await panes("sleep", "60")
        async with open_process_watch(pane.pid) as watch:
            began = trio.current_time()
            os.kill(pane.pid, signal.SIGKILL)
            await watch.wait_exit()
        found = await panes.tmux.exit_status(pane.id)
        fastest = min(fastest, trio.current_time() - began)
        assert (found.dead, found.status, found.signal) == (True, None, "SIGKILL")
    assert fastest < 0.1


async def test_a_program_is_started_again_in_its_pane(panes: Panes):
    """The pane and its options outlive the program."""
    pane = await panes("sh", "-c", "seq 2000; exit 1", options={"agent": "team/a", "generation": "1"})
    async with open_process_watch(pane.pid) as watch:
        await watch.wait_exit()
    spec = PaneSpec(name="x", argv=("sh", "-c", "echo again in $PWD; cat"), cwd="/", options={"generation": "2"})
    again = await panes.tmux.respawn_pane(pane.id, spec)
    assert (again.pane_id, again.window_id) == (pane.id, pane.info.window_id)
    assert again.pid != pane.pid
    await pane.wait_output(b"again in /\r\n")
    assert await panes.tmux.get_options(pane.id) == {"agent": "team/a", "generation": "2", "instance": "test"}


@pytest.mark.parametrize("first", ["seq 3000; exit 1", "yes"])
async def test_starting_again_loses_no_output_and_no_server(panes: Panes, first: str):
    """Up to tmux 3.5a a respawn with unsent output ended the server, or ate the beginning of the new output."""
    for number in range(8):
        pane = await panes("sh", "-c", first)
        if first == "yes":
            await pane.wait_output(b"y\r\n")
        else:  # what a program says as it dies is lost by tmux 3.3a now and then: only its end can be waited for
            async with open_process_watch(pane.pid) as watch:
                await watch.wait_exit()
        again = PaneSpec(name="x", argv=("sh", "-c", f"echo begin {number}; cat"), cwd="/")
        await panes.tmux.respawn_pane(pane.id, again)
        await pane.wait_output(b"begin %d\r\n" % number)


async def test_what_cannot_start_is_refused_before_anything_is_done(panes: Panes, home: Home):
    file = home.root / "file"
    file.write_text("not executable")
    with pytest.raises(ProgramNotFound) as missing:
        await panes("no-such-program", env={"PATH": "/nowhere:/bin"})
    assert (missing.value.code, missing.value.exit_status) == ("program_not_found", ExitStatus.NOT_FOUND)
    assert missing.value.details["path"] == ["/nowhere", "/bin"]
    assert "/nowhere:/bin" in missing.value.hint
    with pytest.raises(ProgramNotFound):
        await panes(str(file))
    with pytest.raises(ProgramNotFound):
        await panes("")
    for cwd in ("relative", str(home.root / "none"), str(file)):
        with pytest.raises(BadDirectory) as bad:
            await panes("cat", cwd=cwd)
        assert (bad.value.code, bad.value.exit_status) == ("bad_cwd", ExitStatus.USAGE)
    assert await panes.tmux.inventory() == ()


async def test_a_session_that_is_gone_leaves_no_pane_behind(tmux: Tmux, panes: Panes):
    await tmux.run("kill-session", "-t", panes.session)
    with pytest.raises(NoSuchTarget):
        await panes("cat", "-")
    assert await tmux.inventory() == ()


async def test_fifty_panes_at_once(tmux: Tmux, panes: Panes):
    made: set[str] = set()

    async def make(number: int) -> None:
        made.add((await panes("cat", "-", name=f"a{number}", options={"agent": f"team/a{number}"})).id)

    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            for number in range(50):
                nursery.start_soon(make, number)
    found = await tmux.inventory()
    assert {pane.pane_id for pane in found} == made
    assert len({pane.options["agent"] for pane in found}) == 50
    assert all(pane.sessions == (panes.session,) for pane in found)
    (session,) = await tmux.list_sessions()
    assert session.windows == 50


async def test_a_closed_pane_is_told(tmux: Tmux, panes: Panes):
    pane, other = await panes("cat", "-"), await panes("cat", "-")
    await tmux.close_pane(pane.id)
    await pane.wait(PaneClosed)
    await tmux.close_pane(pane.id)
    with pytest.raises(NoSuchTarget):
        await tmux.pane_status(pane.id)
    with pytest.raises(NoSuchTarget):
        await tmux.exit_status(pane.id)
    with pytest.raises(NoSuchTarget):
        await tmux.capture(pane.id)
    with pytest.raises(NoSuchTarget):
        await tmux.set_options(pane.id, {"x": "y"})
    assert not any(isinstance(event, PaneClosed) for event in other.events)


async def test_a_window_closed_by_a_person_is_told(tmux: Tmux, panes: Panes, tmux_server: TmuxServer):
    pane = await panes("cat", "-")
    await panes("cat", "-")
    tmux_server.run("kill-window", "-t", pane.info.window_id)
    await pane.wait(PaneClosed)


async def test_a_pane_watched_after_it_closed_is_told_too(tmux: Tmux, panes: Panes):
    pane = await panes("cat", "-")
    tmux.unwatch(pane.id)
    await tmux.close_pane(pane.id)
    tmux.watch(pane.id, pane)
    await pane.wait(PaneClosed)


async def test_a_session_closed_by_a_person_is_told_and_its_programs_live(
    tmux: Tmux, panes: Panes, tmux_server: TmuxServer
):
    """The windows live on in the hub."""
    record = Record()
    leave = tmux.watch_server(record)
    several = [await panes("cat", "-") for _ in range(3)]
    tmux_server.run("kill-session", "-t", panes.session)
    closed = await record.wait(SessionClosed)
    assert (closed.team, closed.session_id) == ("team", panes.session)
    for pane in several:
        await pane.wait(PaneUnlinked)
        assert find_process(pane.pid) is not None
    again = await tmux.ensure_team_session("team")
    assert again != panes.session
    await tmux.link_pane(several[0].info.window_id, again)
    (session,) = await tmux.list_sessions()
    assert session.windows == 1
    await record.wait(SessionOpened, lambda event: event.session_id == again)
    leave()


async def test_foreign_sessions_windows_and_panes_are_never_touched(endpoint: Endpoint, tmux_server: TmuxServer):
    """Whatever they are called; only our own option tells what is ours."""
    tmux_server.run("new-session", "-d", "-s", "team", "-n", "team", "cat", "-")
    tmux_server.run("new-session", "-d", "-s", "_hub", "-n", "agent", "cat", "-")
    tmux_server.run("set-option", "-t", "=team:", "@tmuxorc_team", "team")
    before = tmux_server.run("list-panes", "-a", "-F", "#{pane_id} #{session_name} #{window_name} #{remain-on-exit}")
    async with open_tmux(endpoint, instance="test") as tmux:
        session = await tmux.ensure_team_session("team")
        pane = await tmux.create_pane(session, PaneSpec(name="agent", argv=("cat", "-"), cwd="/"))
        (ours,) = await tmux.list_sessions()
        assert ours.name == "team-2"
        assert [found.pane_id for found in await tmux.inventory()] == [pane.pane_id]
        await tmux.kill_window(pane.window_id)
    after = tmux_server.run("list-panes", "-a", "-F", "#{pane_id} #{session_name} #{window_name} #{remain-on-exit}")
    assert set(before.splitlines()) <= set(after.splitlines())


async def test_a_pane_a_person_opens_beside_an_agent_is_not_ours(tmux: Tmux, panes: Panes, tmux_server: TmuxServer):
    """An option is looked up on the pane, its window and its session."""
    pane = await panes("cat", "-")
    tmux_server.run("split-window", "-d", "-t", pane.id, "cat", "-")
    tmux_server.run("new-window", "-d", "-t", f"{panes.session}:", "cat", "-")
    assert [found.pane_id for found in await tmux.inventory()] == [pane.id]
    with pytest.raises(ValueError, match="not for panes"):
        await panes("cat", "-", options={"team": "x"})


async def test_two_instances_on_one_server_do_not_see_each_other(endpoint: Endpoint):
    async with open_tmux(endpoint, instance="one") as one, open_tmux(endpoint, instance="two") as two:
        assert one.hub != two.hub
        for tmux in (one, two):
            session = await tmux.ensure_team_session("team")
            await tmux.create_pane(session, PaneSpec(name="a", argv=("cat", "-"), cwd="/"))
            assert len(await tmux.inventory()) == 1
            assert len(await tmux.list_sessions()) == 1


async def test_everything_is_found_again_by_the_next_connection(endpoint: Endpoint):
    options = {"agent": "team/a", "generation": "3", "spec": "odd value: é\n%"}
    async with open_tmux(endpoint, instance="test") as tmux:
        session = await tmux.ensure_team_session("team")
        pane = await tmux.create_pane(session, PaneSpec(name="a", argv=("cat", "-"), cwd="/", options=options))
        hub = tmux.hub
    async with open_tmux(endpoint, instance="test") as tmux:
        assert tmux.hub == hub
        assert await tmux.ensure_team_session("team") == session
        (found,) = await tmux.inventory()
        assert (found.pane_id, found.window_id, found.pid, found.dead) == (
            pane.pane_id,
            pane.window_id,
            pane.pid,
            False,
        )
        assert found.options == {**options, "instance": "test"}


async def test_a_pane_of_a_person_is_adopted_when_told_to(tmux: Tmux, tmux_server: TmuxServer):
    tmux_server.run("new-session", "-d", "-s", "mine", "cat", "-")
    pane_id = tmux_server.run("display-message", "-p", "-t", "=mine:", "#{pane_id}")
    for _ in range(2):
        info = await tmux.adopt_pane(pane_id, {"agent": "team/adopted"})
        (found,) = await tmux.inventory()
        assert (found.pane_id, found.options["agent"]) == (info.pane_id, "team/adopted")
    record = Record()
    tmux.watch(pane_id, record)
    await tmux.send_keys(pane_id, ["heard"], literal=True)
    await record.wait_output(b"heard")
    assert tmux_server.run("list-panes", "-t", f"{tmux.hub}:", "-s", "-F", "#{pane_id}").split().count(pane_id) == 1
    with pytest.raises(NoSuchTarget):
        await tmux.adopt_pane("%999", {})


async def test_a_pane_without_a_place_is_an_error_not_a_crash(tmux: Tmux):
    with pytest.raises(TmuxRefused):
        await tmux.link_pane("@999", "$999")
    await tmux.kill_window("@999")


async def test_the_foreground_group_is_known(panes: Panes):
    """A shell's own group is in the foreground only at its prompt."""
    pane = await panes("sh", env={"PS1": "prompt> "})
    await pane.wait_screen(lambda screen: screen.lines[0].startswith("prompt>"))
    assert foreground_pgid(pane.pid) == pane.pid
    await panes.tmux.send_keys(pane.id, [f"{sys.executable} -ISc 'print(6*7); input()'", "Enter"])
    await pane.wait_screen(lambda screen: "42" in screen.lines)
    assert foreground_pgid(pane.pid) not in (None, pane.pid)
