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
    """Byte for byte, but for what the agent is known to make of them."""
    world.spawn()
    for text in AWKWARD:
        message = world.send(text, "--wait", "taken_in", sender=sender)
        world.asked(documented(world.kind, text))
        assert message["rung"] == "taken_in", f"{message}\n{world.told()}"
    world.until("idle")
    arrived = [unframed(request.text) for request in world.turns_with("")]
    assert arrived == [documented(world.kind, text) for text in AWKWARD]


def documented(kind: str, text: str) -> str:
    """What the agent makes of a text, as its own page says."""
    return text


def unframed(text: str) -> str:
    """The words themselves, without what is put around them so that they are taken for words."""
    found = re.fullmatch(r"(?s)(?:\[m-\d+ from [^\]]+\]\n)?(.*?)(?:\n\[end of m-\d+\])?", text)
    return found[1] if found else text
