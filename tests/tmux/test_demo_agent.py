"""The demo agent in a real tmux, as a person would see it."""

import json
from pathlib import Path

import pytest
import trio

from tests.tmux.courier import screen, shows
from tests.tmux.panes import DEADLINE_S, Panes, WatchedPane
from tmuxorc.agents import Detector, EscapeScanner, load_kinds
from tmuxorc.agents.evidence import Bell, Evidence, ModeChanged, Osc, ProcessStarted, TitleSeen
from tmuxorc.agents.frame import find_box
from tmuxorc.model import AgentState
from tmuxorc.tmux import Capture

DEMO = load_kinds()["demo"]
ARGV = DEMO.argv({})


async def start(panes: Panes, *options: str) -> WatchedPane:
    """A demo agent with its composer painted."""
    pane = await panes(*ARGV, *options)
    await pane.wait_screen(ready)
    return pane


def ready(seen: Capture) -> bool:
    """Whether the composer shows."""
    return "❯" in seen.lines and shows(seen.lines, "? for help")


async def type_in(pane: WatchedPane, *keys: str) -> None:
    """Keys by tmux's names."""
    await pane.tmux.send_keys(pane.id, keys)


async def say(pane: WatchedPane, text: str) -> None:
    """A message typed by a person."""
    await pane.tmux.send_keys(pane.id, [text], literal=True)
    await pane.wait_screen(lambda seen: shows(seen.lines, text))
    await type_in(pane, "Enter")


async def wait_state(pane: WatchedPane, state: AgentState) -> str:
    """Wait until a detector fed with this pane's screens says so; the detail."""
    detector = Detector(DEMO)
    detector.feed(ProcessStarted(at=0))
    with trio.fail_after(DEADLINE_S):
        while True:
            known = len(pane.events)
            detector.feed(await screen(pane))
            if detector.state.state is state:
                return detector.state.detail
            await pane.wait_until(lambda known=known: len(pane.events) > known)


async def ending_of(pane: WatchedPane, script: str) -> tuple[int | None, str | None]:
    """How the process ends when it is told this: exit status, signal."""
    await say(pane, script)
    await pane.wait_screen(lambda seen: seen.dead)
    status = await pane.tmux.exit_status(pane.id)
    return status.status, status.signal


async def test_a_message_keeps_it_busy_and_then_it_is_idle(panes: Panes):
    """Footer and spinner while it works, the answer in the transcript after."""
    pane = await start(panes)
    await say(pane, "work 0.3")
    await wait_state(pane, AgentState.BUSY)
    await pane.wait_screen(lambda seen: shows(seen.lines, "● worked 0.3 s"))
    await wait_state(pane, AgentState.IDLE)


async def test_it_asks_for_permission(panes: Panes):
    """The question is the state's detail; Enter approves, `n` refuses; the composer is hidden meanwhile."""
    pane = await start(panes)
    await say(pane, "ask rm -rf build")
    assert await wait_state(pane, AgentState.BLOCKED) == "rm -rf build"
    assert find_box(DEMO.composer, await screen(pane)) is None
    await type_in(pane, "Enter")
    await pane.wait_screen(lambda seen: shows(seen.lines, "● ran: rm -rf build"))
    await wait_state(pane, AgentState.IDLE)
    await say(pane, "ask again")
    await wait_state(pane, AgentState.BLOCKED)
    await type_in(pane, "n")
    await pane.wait_screen(lambda seen: shows(seen.lines, "● refused: again"))


async def test_it_is_rate_limited(panes: Panes):
    """Until a time of day."""
    pane = await start(panes)
    await say(pane, "limit 0.5")
    assert (await wait_state(pane, AgentState.LIMITED)).startswith("until ")
    await wait_state(pane, AgentState.IDLE)


async def test_it_queues_what_comes_while_it_is_busy(panes: Panes):
    """And says so in the footer; taken in one after another."""
    pane = await start(panes)
    await say(pane, "work 0.5")
    await say(pane, "echo queued one")
    await say(pane, "echo queued two")
    await pane.wait_screen(lambda seen: shows(seen.lines, "2 queued"))
    done = await pane.wait_screen(lambda seen: shows(seen.lines, "● queued two"))
    assert [line for line in done.lines if line.startswith("●")] == ["● worked 0.5 s", "● queued one", "● queued two"]


async def test_escape_interrupts(panes: Panes):
    """Even what would spin for ever."""
    pane = await start(panes)
    await say(pane, "spin")
    await wait_state(pane, AgentState.BUSY)
    await type_in(pane, "Escape")
    await pane.wait_screen(lambda seen: shows(seen.lines, "● interrupted"))
    await wait_state(pane, AgentState.IDLE)


@pytest.mark.parametrize(
    ("script", "ending"),
    [("exit 0", (0, None)), ("exit 7", (7, None)), ("crash", (1, None)), ("crash 3", (3, None))],
)
async def test_it_ends_on_request(panes: Panes, script: str, ending: tuple[int, None]):
    """In order, or by crashing."""
    assert await ending_of(await start(panes), script) == ending


async def test_it_dies_of_a_signal_on_request(panes: Panes):
    """What was last on its screen stays there."""
    pane = await start(panes)
    assert (await ending_of(pane, "crash KILL"))[0] is None
    assert shows((await screen(pane)).lines, "> crash KILL")


async def test_it_hangs_and_reads_later_what_came_meanwhile(panes: Panes):
    """It neither paints nor reads."""
    pane = await start(panes)
    await say(pane, "hang 0.3")
    await pane.tmux.paste(pane.id, b"echo after")
    await pane.wait_screen(lambda seen: shows(seen.lines, "❯ echo after"))


async def test_it_begins_again_slowly_on_request(panes: Panes):
    """The process stays, the composer comes back later."""
    pane = await start(panes)
    await say(pane, "slow-start 0.2")
    await pane.wait_screen(lambda seen: shows(seen.lines, "is starting"))
    await pane.wait_screen(ready)
    assert pane.pid == (await pane.tmux.pane_status(pane.id)).pid


async def test_a_start_may_be_slow_or_end_in_a_question(panes: Panes):
    """S15: starting until the composer is painted; blocked is one of a start's endings."""
    pane = await panes(*ARGV, "--start-delay", "0.3", "--trust")
    await wait_state(pane, AgentState.STARTING)
    assert await wait_state(pane, AgentState.BLOCKED) == "the files here"
    await type_in(pane, "Enter")
    await wait_state(pane, AgentState.IDLE)


async def test_what_it_pushes_to_the_terminal(panes: Panes):
    """Title, bell at a turn's end, bracketed paste, and OSC 7501, which tmux shows nobody but passes on."""
    pane = await start(panes)
    await say(pane, "osc state=working:app=demo")
    await say(pane, "title a new title")
    scanner = EscapeScanner()
    known = 0
    found: list[Evidence] = []

    def all_there() -> bool:
        nonlocal known
        data, known = pane.output[known:], len(pane.output)
        found.extend(scanner.feed(data, 0))
        return TitleSeen(at=0, title="a new title") in found and Bell(at=0) in found

    await pane.wait_until(all_there)
    assert Osc(at=0, number=7501, text="state=working:app=demo") in found
    assert ModeChanged(at=0, mode=2004, on=True) in found
    assert (await screen(pane)).title == "a new title"


async def resize(pane: WatchedPane, columns: int, rows: int) -> None:
    """Give the pane another size."""
    await pane.tmux.run("resize-window", "-t", pane.info.window_id, "-x", str(columns), "-y", str(rows))
    await pane.wait_screen(lambda seen: (seen.columns, seen.rows) == (columns, rows) and "❯" in seen.lines)


async def test_twenty_by_five_is_enough(panes: Panes):
    """Every state is told from the smallest screen, and back at full size nothing is broken."""
    pane = await start(panes)
    await resize(pane, 20, 5)
    await wait_state(pane, AgentState.IDLE)
    await say(pane, "work 0.3")
    await wait_state(pane, AgentState.BUSY)
    await wait_state(pane, AgentState.IDLE)
    await say(pane, "limit 0.3")
    await wait_state(pane, AgentState.LIMITED)
    await wait_state(pane, AgentState.IDLE)
    await say(pane, "ask x")
    await wait_state(pane, AgentState.BLOCKED)
    await type_in(pane, "Enter")
    await wait_state(pane, AgentState.IDLE)
    await resize(pane, 120, 40)
    await wait_state(pane, AgentState.IDLE)
    assert shows((await screen(pane)).lines, "● ran: x")


async def test_it_survives_any_bytes(panes: Panes):
    """Invalid UTF-8, control characters and unfinished sequences, typed or pasted."""
    pane = await start(panes)
    for data in (
        b"\xff\xfe\x80",
        b"\x1b[200~\xc3\x28 \x00\x1b[31m \xe2\x82\x1b[201~",
        b"\x1b[999",
        b"~\x1bO",
        b"P\x1b",
    ):
        await pane.tmux.run("send-keys", "-t", pane.id, "-H", *(f"{byte:x}" for byte in data))
    await type_in(pane, "C-u")
    await pane.wait_screen(ready)
    await say(pane, "echo well")
    await pane.wait_screen(lambda seen: shows(seen.lines, "● well"))


async def test_what_it_takes_in_is_recorded_exactly(panes: Panes, tmp_path: Path):
    """Several lines, tabs, wide characters and a big paste shown by its size, byte for byte."""
    pane = await start(panes, "--record", str(tmp_path / "record"))
    texts = ["one\n\ttwo\n", "日本語 👩‍👩‍👧", "x" * 100_000]
    for text in texts:
        await pane.wait_screen(ready)
        await pane.tmux.paste(pane.id, text.encode())
        await pane.wait_screen(lambda seen: not ready(seen))
        await type_in(pane, "Enter")
        await pane.wait_screen(lambda seen: "❯" in seen.lines)
    await pane.wait_screen(ready)
    lines = (tmp_path / "record").read_text().splitlines()
    assert [json.loads(line)["text"] for line in lines] == texts
    assert {json.loads(line)["pid"] for line in lines} == {pane.pid}


async def test_enter_in_the_same_breath_as_a_paste_does_not_submit(panes: Panes):
    """As in the real programs: it is a newline in the composer."""
    pane = await start(panes)
    pasted = b"\x1b[200~hello\x1b[201~\r"
    await pane.tmux.run("send-keys", "-t", pane.id, "-H", *(f"{byte:x}" for byte in pasted))
    await pane.wait_screen(lambda seen: shows(seen.lines, "❯ hello"))
    assert "hello" in find_box(DEMO.composer, await screen(pane)).text


@pytest.mark.usefixtures("unmeasured")
async def test_it_needs_little_memory(panes: Panes):
    """A hundred of them run beside each other."""
    pane = await start(panes)
    statistics = (await trio.Path(f"/proc/{pane.pid}/status").read_text()).splitlines()
    resident = next(int(line.split()[1]) for line in statistics if line.startswith("VmRSS"))
    assert resident < 12 * 1024
