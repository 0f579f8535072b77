"""Delivery by keys on a real tmux: the gates, the marker, and real programs behind them."""

import json
import shutil
from pathlib import Path

import msgspec
import pytest
import trio

from tests.tmux.courier import Courier, screen, shows
from tests.tmux.panes import Panes, WatchedPane
from tests.tmux.test_demo_agent import ready, say, start
from tests.unit.delivery.world import message
from tmuxorc.agents import load_kinds
from tmuxorc.agents.frame import find_box
from tmuxorc.agents.schema import Placeholder
from tmuxorc.delivery import Advance, Gate, Hold, Paste, Press, condition, framed
from tmuxorc.delivery._look import Look
from tmuxorc.model import Rung
from tmuxorc.tmux import PaneSpec

KINDS = load_kinds()
DEMO = KINDS["demo"]


def recorded(file: Path) -> list[str]:
    """What a demo agent took in."""
    return [json.loads(line)["text"] for line in file.read_text().splitlines()] if file.exists() else []


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """Where a demo agent writes what it takes in."""
    return tmp_path / "record"


async def taken_in(pane: WatchedPane, record: Path, count: int) -> list[str]:
    """The record, once it has `count` entries."""
    await pane.wait_screen(lambda _: len(recorded(record)) >= count)
    return recorded(record)


TEXTS = (
    "hello",
    "several\nlines\n\n\twith tabs ",
    "/help is no command here",
    "a trailing backslash \\",
    "$HOME `id` 'single' \"double\" #{pane_id} ; %end 1 2 3",
    "日本語 👩‍👩‍👧 é Ω",
    "x" * 300,
    "line\n" * 60,
    "y" * 20_000,
)


async def test_texts_arrive_byte_for_byte(panes: Panes, record: Path):
    """Whatever they hold, one after another, each proved."""
    pane = await start(panes, "--record", str(record), "--think", "0.01")
    courier = Courier(pane, DEMO)
    messages = [message(number, text) for number, text in enumerate(TEXTS)]
    for sent in messages:
        assert await courier.deliver(sent) in (Rung.SUBMITTED, Rung.TAKEN_IN)
    assert await taken_in(pane, record, len(TEXTS)) == [framed(DEMO, sent) for sent in messages]


async def test_the_longest_message_arrives(panes: Panes, record: Path):
    """1 MiB."""
    pane = await start(panes, "--record", str(record))
    text = "0123456789abcde\n" * (1 << 16)
    assert await Courier(pane, DEMO).deliver(message(1, text)) in (Rung.SUBMITTED, Rung.TAKEN_IN)
    assert await taken_in(pane, record, 1) == [text]


async def test_a_courier_dropped_after_any_effect_is_followed_by_one_that_goes_on(panes: Panes, record: Path):
    """Exactly once, whichever effect was the last of the first supervisor."""
    pane = await start(panes, "--record", str(record), "--think", "0.01")
    sent = [message(number, f"echo number {number}") for number in range(12)]
    for number, one in enumerate(sent):
        courier = Courier(pane, DEMO)
        if await courier.deliver(one, drop=lambda count, _, number=number: count == number) is None:
            assert await courier.deliver(one) in (Rung.SUBMITTED, Rung.TAKEN_IN)
        assert courier.performed(Paste) == courier.performed(Press) == 1
    assert await taken_in(pane, record, len(sent)) == [one.text for one in sent]


async def test_messages_wait_for_a_dialog_a_draft_and_copy_mode(panes: Panes, record: Path):
    """Nothing is typed into them, and the message comes as soon as they are gone."""
    pane = await start(panes, "--record", str(record))
    courier = Courier(pane, DEMO)
    await say(pane, "ask something")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(courier.deliver, message(1, "echo after"))
        await courier.wait_until(lambda: courier.performed(Hold) == 1)
        await pane.tmux.run("copy-mode", "-t", pane.id)
        await courier.wait_until(lambda: courier.performed(Hold) == 2)
        await pane.tmux.run("send-keys", "-t", pane.id, "-X", "cancel")
        await courier.wait_until(lambda: courier.performed(Hold) == 3)
        await pane.tmux.send_keys(pane.id, ["y"])
    assert courier.performed(Paste) == 1
    assert courier.rungs["m-1"] in (Rung.SUBMITTED, Rung.TAKEN_IN)
    await pane.wait_screen(lambda seen: shows(seen.lines, "● ran: something"))


async def holds(pane: WatchedPane, gate: Gate) -> bool:
    """Whether tmux lets a key through."""
    return await pane.tmux.press(pane.id, ["F5"], gate=condition(gate))


async def test_the_gate_is_what_tmux_sees(panes: Panes):
    """Each condition by itself: met, and not met."""
    pane = await panes(*DEMO.argv({}), options={"delivery": "m-1:pasted:1.2"})
    await pane.wait_screen(ready)
    gate = Gate(marker="m-1:pasted:1.2")
    cursor = (await screen(pane)).cursor
    met = [
        gate,
        msgspec.structs.replace(gate, shows=("^❯$",)),
        msgspec.structs.replace(gate, shows=("^─+$", r"^  \? for help")),
        msgspec.structs.replace(gate, hides=("^ Enter to approve", "no such, {text}# #{here}")),
        msgspec.structs.replace(gate, cursor=cursor),
        msgspec.structs.replace(gate, foreground=await own_command(pane)),
    ]
    unmet = [
        Gate(marker=""),
        Gate(marker="m-1:submitted:1.2"),
        msgspec.structs.replace(gate, shows=("^❯$", "^no such line$")),
        msgspec.structs.replace(gate, hides=("^❯$",)),
        msgspec.structs.replace(gate, cursor=(cursor[0] + 1, cursor[1])),
        msgspec.structs.replace(gate, cursor=(cursor[0], cursor[1] + 1)),
        msgspec.structs.replace(gate, foreground="bash"),
    ]
    assert [await holds(pane, one) for one in met] == [True] * len(met)
    assert [await holds(pane, one) for one in unmet] == [False] * len(unmet)
    await pane.tmux.run("copy-mode", "-t", pane.id)
    assert not await holds(pane, gate)


async def test_a_gate_without_a_marker_holds_on_a_pane_without_one(panes: Panes):
    """The option unset, or empty."""
    pane = await start(panes)
    assert await holds(pane, Gate(marker=""))
    await pane.tmux.run("set-option", "-p", "-t", pane.id, "@tmuxorc_delivery", "")
    assert await holds(pane, Gate(marker=""))


async def test_a_dead_pane_gets_no_key(panes: Panes):
    """What it shows is the past."""
    pane = await start(panes)
    await say(pane, "exit 0")
    await pane.wait_screen(lambda seen: seen.dead)
    assert not await holds(pane, Gate(marker=""))


async def test_the_marker_outlives_the_process_but_not_its_meaning(panes: Panes, record: Path):
    """Pasted into a process that died: sent to the next one; submitted to it: settled, and not sent again."""
    pane = await start(panes, "--record", str(record))
    first = Courier(pane, DEMO, incarnation="1")
    await first.deliver(message(1, "echo one"), drop=lambda _, effect: isinstance(effect, Advance))
    assert first.performed(Paste) == 1
    await respawn(pane, record)
    second = Courier(pane, DEMO, incarnation="2")
    assert await second.deliver(message(1, "echo one")) is Rung.TAKEN_IN
    await second.deliver(message(2, "echo two"), drop=lambda *_: second.performed(Press) == 2)
    await taken_in(pane, record, 2)
    await respawn(pane, record)
    third = Courier(pane, DEMO, incarnation="3")
    assert await third.deliver(message(2, "echo two", rung=Rung.STAGED)) is Rung.SUBMITTED
    assert third.performed(Paste) == 0
    assert recorded(record) == ["echo one", "echo two"]


async def respawn(pane: WatchedPane, record: Path) -> None:
    """A new process in the same pane."""
    spec = PaneSpec(name="pane", argv=(*DEMO.argv({}), "--record", str(record)), cwd=str(record.parent))
    await pane.tmux.respawn_pane(pane.id, spec)
    await pane.wait_screen(ready)


async def test_many_agents_at_once(panes: Panes, tmp_path: Path):
    """Each gets its own message, none another's."""
    several = [await start(panes, "--record", str(tmp_path / str(number))) for number in range(8)]
    couriers = [Courier(pane, DEMO) for pane in several]
    async with trio.open_nursery() as nursery:
        for number, courier in enumerate(couriers):
            nursery.start_soon(courier.deliver, message(number, f"echo for {number}"))
    for number, pane in enumerate(several):
        assert await taken_in(pane, tmp_path / str(number), 1) == [f"echo for {number}"]


# --- programs of which only the echo is seen --------------------------------------------------------------------------


def prompted(seen: object) -> bool:
    """Whether a shell's prompt shows."""
    return any(line.endswith(("$", "#")) for line in getattr(seen, "lines", ()))


@pytest.mark.parametrize("shell", [("bash", "--norc"), ("sh",)], ids=str)
async def test_a_shell_runs_what_it_is_sent(panes: Panes, shell: tuple[str, ...], tmp_path: Path):
    """At its prompt, one message after another; one that comes while a command runs waits for the prompt."""
    program = shutil.which(shell[0])
    assert program
    pane = await panes(program, *shell[1:], cwd=str(tmp_path))
    await pane.wait_screen(prompted)
    courier = Courier(pane, KINDS["shell"], foreground=await own_command(pane))
    for number, text in enumerate(("sleep 0.3; echo one >> out", "echo two >> out", "echo three >> out")):
        assert await courier.deliver(message(number, text)) is Rung.SUBMITTED
    await pane.wait_screen(lambda _: (tmp_path / "out").exists() and (tmp_path / "out").read_text().count("\n") == 3)
    assert (tmp_path / "out").read_text() == "one\ntwo\nthree\n"
    assert courier.performed(Hold) >= 1


async def own_command(pane: WatchedPane) -> str:
    """The foreground command as tmux tells it."""
    return (await pane.tmux.run("display-message", "-p", "-t", pane.id, "#{pane_current_command}"))[0].decode()


async def test_a_shell_with_a_program_in_the_foreground_gets_nothing(panes: Panes):
    """The text would go to that program; tmux refuses in the same breath."""
    pane = await panes(str(shutil.which("bash")), "--norc")
    await pane.wait_screen(prompted)
    shell = await own_command(pane)
    await pane.tmux.send_keys(pane.id, ["cat", "Enter"])
    with trio.fail_after(10):
        while await own_command(pane) == shell:
            await trio.lowlevel.checkpoint()
    assert not await holds(pane, Gate(marker="", foreground=shell))


async def test_a_program_that_echoes(panes: Panes):
    """``cat``: proved by the echo and its leaving the line."""
    pane = await panes("cat")
    courier = Courier(pane, KINDS["command"])
    for number, text in enumerate(("hello", "two\nlines", "w" * 300)):
        assert await courier.deliver(message(number, text)) is Rung.SUBMITTED


async def test_a_program_that_does_not_echo(panes: Panes):
    """The text is sent once, and the message says that nothing proves it."""
    pane = await panes("sh", "-c", "stty -echo; echo ready; exec cat > /dev/null")
    await pane.wait_screen(lambda seen: shows(seen.lines, "ready"))
    courier = Courier(pane, KINDS["command"])
    assert await courier.deliver(message(1, "hello")) is Rung.UNVERIFIED
    assert courier.performed(Paste) == courier.performed(Press) == 1


PLACEHOLDER = r"Type [a-z]+, {#}*(1,2)|$^. \ here"
HINTING = msgspec.structs.replace(
    DEMO,
    composer=msgspec.structs.replace(DEMO.composer, placeholder=Placeholder.FAINT, above="", first="^> ?", empty="^>$"),
    dialogs=(),
)


HINTS = r"""
import sys
sys.stdout.write("\x1b[2J\x1b[H> \x1b[2m" + sys.argv[1] + "\x1b[0m\n────\x1b[1;3H")
sys.stdout.flush()
sys.stdin.readline()
sys.stdout.write("\x1b[1;3H\x1b[2m" + sys.argv[1] + "!\x1b[1;3H")
sys.stdout.flush()
sys.stdin.read()
"""


async def test_a_placeholder_is_pasted_over_only_as_it_was_seen(panes: Panes):
    """tmux compares the very line, whatever is special in it; one more character shuts the gate."""
    pane = await panes.python(HINTS, PLACEHOLDER)
    await pane.wait_screen(lambda seen: "────" in seen.lines)
    seen = await screen(pane, coloured=True)
    box = find_box(HINTING.composer, seen)
    assert box is not None
    assert box.empty
    gate = Gate(marker="", shows=Look(HINTING, "x").vacant(seen), cursor=seen.cursor)
    assert await holds(pane, gate)
    await pane.tmux.send_keys(pane.id, ["Enter"])
    await pane.wait_screen(lambda seen: shows(seen.lines, "here!"))
    assert not await holds(pane, msgspec.structs.replace(gate, cursor=None))
