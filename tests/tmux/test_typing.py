"""Typing into a program on a real tmux: quoting, pasting, keys, and the gates they pass."""

from pathlib import Path

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import Home
from tests.tmux.panes import Panes
from tmuxorc.tmux import (
    ALIVE,
    NOT_IN_MODE,
    Endpoint,
    NoSuchTarget,
    PaneModeChanged,
    Tmux,
    Unsayable,
    equals,
    escape,
    every,
    negate,
    open_tmux,
    option_is,
    screen_matches,
    some,
)

TRICKY = "'\"\\$#{}();%~`\n\r\t\x1b ,;:@=-"
ANY_TEXT = st.text(st.one_of(st.sampled_from(TRICKY), st.characters(blacklist_characters="\0", codec="utf-8")))


@settings(max_examples=5)
@given(st.lists(st.one_of(ANY_TEXT, st.binary().map(lambda data: data.replace(b"\0", b""))), min_size=20, max_size=40))
def test_quoting_survives_the_round_trip(values: list[str | bytes]):
    """Any text or bytes come back as they were, through a buffer that nothing interprets."""
    trio.run(round_trip, [value.encode() if isinstance(value, str) else value for value in values if value])


async def round_trip(values: list[bytes]) -> None:
    async with open_tmux(ROUND_TRIP[0], instance="fuzz") as tmux:
        await tmux.run_many([("set-buffer", "-b", f"b{number}", "--", value) for number, value in enumerate(values)])
        for number, value in enumerate(values):
            file = f"{ROUND_TRIP[0].socket_path}.{number}"
            await tmux.run("save-buffer", "-b", f"b{number}", "--", file)
            assert read(Path(file)) == value


ROUND_TRIP: list[Endpoint] = []


@pytest.fixture(autouse=True)
def _round_trip(endpoint: Endpoint) -> None:
    ROUND_TRIP[:] = [endpoint]


async def test_quoting_survives_every_single_byte(tmux: Tmux, home: Home):
    for value in [bytes([code]) for code in range(1, 256)] + [bytes(range(1, 256)), bytes(range(255, 0, -1))]:
        await tmux.run("set-buffer", "-b", "b", "--", value)
        await tmux.run("save-buffer", "-b", "b", "--", str(home.root / "out"))
        assert read(home.root / "out") == value


def read(file: Path) -> bytes:
    return file.read_bytes()


@pytest.mark.parametrize(
    "text", ["#", "##", "#{pane_id}", "#[fg=red]", "##[x]", "###[", "a,b}c", "#(date)", "#,", "%H", "}"]
)
async def test_escaped_formats_expand_to_themselves(tmux: Tmux, panes: Panes, text: str):
    pane = await panes("cat", "-")
    await tmux.run("set-option", "-p", "-F", "-t", pane.id, "@x", escape(text))
    await tmux.run("set-option", "-p", "-t", pane.id, "@y", text)
    (same,) = await tmux.run("display-message", "-p", "-t", pane.id, "#{==:#{@x},#{@y}}")
    assert same == b"1"
    assert await tmux.press(pane.id, ["x"], gate=equals("#{@y}", text))
    assert not await tmux.press(pane.id, ["x"], gate=equals("#{@y}", text + "x"))


async def test_a_paste_is_bracketed_and_arrives_byte_for_byte(tmux: Tmux, panes: Panes, home: Home):
    """LF stays LF inside the brackets."""
    reader = await panes.reader(home.root / "got")
    text = "line one\n\tline 'two' $HOME #{x} \\n ;\nü 世界 🎉;".encode()
    assert await tmux.paste(reader.id, text)
    assert await reader.got(len(text) + 12) == b"\x1b[200~" + text + b"\x1b[201~"


async def test_a_program_that_asked_for_no_brackets_gets_none(tmux: Tmux, panes: Panes, home: Home):
    reader = await panes.reader(home.root / "got", bracketed=False)
    assert await tmux.paste(reader.id, b"a\nb;")
    assert await reader.got(4) == b"a\nb;"


async def test_a_mebibyte_is_pasted_whole(tmux: Tmux, panes: Panes, home: Home):
    text = "".join(f"line {number} ü\n" for number in range(80_000)).encode()[: 1 << 20].ljust(1 << 20, b"x")
    reader = await panes.reader(home.root / "got")
    assert await tmux.paste(reader.id, text)
    assert await reader.got(len(text) + 12) == b"\x1b[200~" + text + b"\x1b[201~"


async def test_pastes_leave_no_buffer_behind(tmux: Tmux, panes: Panes, home: Home):
    reader = await panes.reader(home.root / "got")
    await tmux.paste(reader.id, b"pasted")
    await tmux.paste(reader.id, b"not pasted", gate="0")
    with pytest.raises(NoSuchTarget):
        await tmux.paste("%999", b"nowhere")
    assert await tmux.run("list-buffers") == ()


async def test_nothing_to_paste_and_what_cannot_be_pasted_are_refused(tmux: Tmux, panes: Panes):
    pane = await panes("cat", "-")
    for data in (b"", b"a\0b"):
        with pytest.raises(Unsayable):
            await tmux.paste(pane.id, data)


async def test_the_gate_and_the_marker_go_with_the_paste(tmux: Tmux, panes: Panes, home: Home):
    """What must not be typed is not typed, and the pane knows what was."""
    reader = await panes.reader(home.root / "got")
    assert not await tmux.paste(reader.id, b"no", gate=screen_matches("^composer"), marker="m-1:pasted")
    assert "delivery" not in await tmux.get_options(reader.id)
    assert await tmux.paste(
        reader.id, b"yes", gate=every([ALIVE, NOT_IN_MODE, screen_matches("^ready")]), marker="m-1:pasted"
    )
    assert (await tmux.get_options(reader.id))["delivery"] == "m-1:pasted"
    gate = option_is("delivery", "m-1:pasted")
    assert await tmux.press(reader.id, ["Enter"], gate=gate, marker="m-1:submitted")
    assert not await tmux.press(reader.id, ["Enter"], gate=gate, marker="m-1:submitted")
    assert await reader.got(3 + 12 + 1) == b"\x1b[200~yes\x1b[201~\r"


async def test_copy_mode_parks_a_paste(tmux: Tmux, panes: Panes, home: Home):
    reader = await panes.reader(home.root / "got")
    await tmux.run("copy-mode", "-t", reader.id)
    await reader.pane.wait(PaneModeChanged)
    assert not await tmux.paste(reader.id, b"x", gate=NOT_IN_MODE)
    await tmux.run("send-keys", "-t", reader.id, "-X", "cancel")
    assert await tmux.paste(reader.id, b"x", gate=NOT_IN_MODE)


async def test_a_dead_pane_takes_no_paste(tmux: Tmux, panes: Panes):
    pane = await panes("true")
    await tmux.exit_status(pane.id)
    assert not await tmux.paste(pane.id, b"x", gate=ALIVE)


async def test_a_command_in_the_foreground_parks_a_paste(tmux: Tmux, panes: Panes):
    """Checked by tmux in the same breath."""
    shell = await panes("sh", env={"PS1": "prompt> "})
    await shell.wait_screen(lambda screen: screen.lines[0].startswith("prompt>"))
    gate = equals("#{pane_current_command}", "sh")
    assert await tmux.paste(shell.id, b"exec cat", gate=gate)
    await tmux.send_keys(shell.id, ["Enter"])
    await tmux.send_keys(shell.id, ["echoed", "Enter"])
    await shell.wait_screen(lambda screen: screen.lines.count("echoed") == 2)
    assert not await tmux.paste(shell.id, b"ls", gate=gate)


@pytest.mark.parametrize(
    ("line", "regex", "matches"),
    [
        ("❯ ", "^❯$", True),
        ("❯ draft", "^❯$", False),
        ("a{1},b#c", r"^a\{1\},b#c$", True),
        ("x: #{pane_id}", r"^x: #\{pane_id\}$", True),
        ("│ > │", "^│ > │$", True),
        ("100%", "100%$", True),
        ("'q\" \\ $HOME", r"'q\" \\ \$HOME".replace('\\"', '"'), True),
        ("(y/n)?", r"\(y/n\)\?", True),
    ],
)
async def test_the_visible_screen_is_searched_by_regex(panes: Panes, line: str, regex: str, matches: bool):
    """Lines of the frame, anchored."""
    pane = await panes.python("import sys; print(sys.argv[1] + '\\nend', flush=True); input()", line)
    await pane.wait_screen(lambda screen: "end" in screen.lines)
    for condition, holds in [
        (screen_matches(regex), matches),
        (negate(screen_matches(regex)), not matches),
        (every([screen_matches(regex), "1"]), matches),
        (some(["0", screen_matches(regex)]), matches),
    ]:
        assert await panes.tmux.press(pane.id, ["x"], gate=condition) is holds


async def test_scrollback_is_not_searched(panes: Panes):
    pane = await panes("sh", "-c", "echo gone; seq 200; exec cat")
    await pane.wait_screen(lambda screen: "200" in screen.lines)
    assert not await panes.tmux.press(pane.id, ["x"], gate=screen_matches("^gone"))


@pytest.mark.parametrize("text", ["A=x;", ";", "-t", "Enter", "'", "$HOME", "#{pane_id}", "~", "ü🎉", "C-c", "a;b;"])
async def test_literal_keys_are_typed_as_they_are(tmux: Tmux, panes: Panes, home: Home, text: str):
    """As an argument of a tmux command line, a trailing semicolon is lost."""
    reader = await panes.reader(home.root / "got")
    await tmux.send_keys(reader.id, [text], literal=True)
    assert await reader.got(len(text.encode())) == text.encode()


async def test_keys_are_pressed_by_name(tmux: Tmux, panes: Panes, home: Home):
    reader = await panes.reader(home.root / "got")
    await tmux.send_keys(reader.id, ["Escape", "C-c", "Enter", "a", ";"])
    assert await reader.got(5) == b"\x1b\x03\ra;"


async def test_many_panes_are_pasted_into_at_once(tmux: Tmux, panes: Panes, home: Home):
    readers = [await panes.reader(home.root / f"got{number}") for number in range(10)]

    async with trio.open_nursery() as nursery:
        for number, reader in enumerate(readers):
            nursery.start_soon(tmux.paste, reader.id, b"for %d" % number)
    for number, reader in enumerate(readers):
        assert await reader.got(5 + 12) == b"\x1b[200~for %d\x1b[201~" % number
