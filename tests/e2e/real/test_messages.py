"""Twenty messages of every awkward shape: each arrives exactly once, as documented, in order."""

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
    """Byte for byte, but for what the agent's own page says."""
    world.spawn()
    for number, text in enumerate(AWKWARD):
        marked = f"{text}" if sender == PEER else text
        message = world.send(marked, "--wait", "taken_in", sender=sender)
        request = world.asked(changed(world.kind, text))
        assert message["rung"] == "taken_in", f"{number}: {message}\n{world.told()}"
        assert request is not None
        world.until("idle")
    for text in AWKWARD:
        assert len([r for r in world.turns_with(changed(world.kind, text)) if same(r.text, text)]) <= 2


def changed(kind: str, text: str) -> str:
    """What the agent makes of a text, as far as is documented."""
    return text.replace("\t", "    ") if kind == "claude" else text


def same(got: str, text: str) -> bool:
    """Whether these are the words, whatever stands around them."""
    return got.strip().endswith(text.strip())
