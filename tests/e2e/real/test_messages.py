"""Twenty messages of every awkward shape: each arrives exactly once, as documented, in order."""

import re

import pytest

from tests.e2e.real.world import PEER, World

AWKWARD = (
    "hello",
    "/help",
    "!echo pwned",
    "@README.md and more",
    "#memory",
    "? what",
    "- a list",
    "two\nlines",
    "a line\n\n\nand another",
    "a tab\there",
    "ends with a backslash\\",
    "ends with @REA",
    "quotes ' \" ` $HOME $(id) #{pane_id}",
    "ünïcode ☃ 漢字 Ω",
    "an emoji 👩‍👩‍👧‍👦 family",
    "semicolon at the end;",
    "<pasted_content id=1>",
    "%end 1 2 3",
    "x" * 3000,
    "\n".join(f"line {n} of many" for n in range(60)),
)


@pytest.mark.parametrize("sender", ["operator", PEER], ids=["person", "peer"])
def test_awkward_messages_arrive_exactly_once(world: World, sender: str) -> None:
    """In their order, byte for byte, but for what the agent is known to make of them."""
    world.spawn()
    for text in AWKWARD:
        message = world.send(text, "--wait", "taken_in", sender=sender)
        assert message["rung"] in ("submitted", "taken_in"), f"{message}\n{world.told()}"
    wanted = [documented(world.kind, sender, text) for text in AWKWARD]
    world.asked(wanted[-1].rpartition("\n")[2])
    world.until("idle")
    known = set(wanted)
    assert [text for text in map(unframed, world.model.turns[-1].texts) if text in known] == wanted


def documented(kind: str, sender: str, text: str) -> str:
    """What the agent makes of a text, as the page on coding agents says."""
    if kind == "claude" and sender != PEER:
        return text.replace("\t", "    ").replace("<pasted", "<\\pasted")
    # What follows an @ is the name of a file there, and a blank is put before it.
    return f" {text}" if kind == "qwen" and text.startswith("@") else text


FRAMES = (
    r"(?s)Another Claude session sent a message:\n(.*?)\n\nThis came from another Claude session.*",
    r"(?s)<pasted_content[^>]*>\n(.*)\n</pasted_content[^>]*>",
    r"(?s)\[m-\d+ from [^\]]+\]\n(.*)",
    r"(?s)(.*)\n\[end of m-\d+\]",
)


def unframed(text: str) -> str:
    """The words themselves, without what is put around them."""
    for frame in FRAMES:
        if found := re.fullmatch(frame, text.strip() if frame.startswith("(?s)<") else text):
            text = found[1]
    return text
