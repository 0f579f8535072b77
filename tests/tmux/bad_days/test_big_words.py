"""Messages at the limits, from the command line to what the agent itself took in."""

import json
import socket

import pytest

from tests.support import Cli, Home
from tests.tmux.supervisor._orc import IDLE, PYTHON, SLEEP, Orc
from tmuxorc.wire import methods as m

MIB = 1 << 20
DEMO = (PYTHON, "-I", "-m", "tmuxorc.agents.demo")
LINE = "tabs\tand ümläuts, 漢字 and 😀 'quoted' \"twice\" $HOME `x` #{pid} #(id) %1 ; {END} \\"
LINES = "".join(f"{number} {LINE}\n" for number in range(15_000))
"""More than a mebibyte of everything that some language on the way could take for its own."""


def cut(text: str, size: int) -> str:
    return text.encode()[: size - 1].decode(errors="ignore").rstrip("\\\n\t ") + "."


def test_messages_arrive_byte_for_byte(cli: Cli, orc: Orc, home: Home) -> None:
    """From a file through the command line, the journal and tmux into the agent, a mebibyte as well as one byte."""
    texts = [cut(LINES, MIB), "x" * MIB, "y", " lead and trail \n\n\tx  "]
    record, file = home.root / "record", home.root / "message"
    orc.spawn("alice", *DEMO, "--record", str(record), kind="demo", wait="ready")
    for text in texts:
        file.write_text(text + "\n")
        (message,) = cli.json("send", "alice", "--file", str(file), "--wait", "submitted")["messages"]
        assert message["rung"] in ("submitted", "taken_in")
    orc.await_state("alice", IDLE)
    assert [json.loads(line)["text"] for line in record.read_text().splitlines()] == texts


NO_MESSAGES: list[tuple[bytes, int, str]] = [
    (b"", 5, "message_empty"),
    (b"\n", 5, "message_empty"),
    (b"a\0b", 5, "message_control"),
    (b"a\x1b]0;x\x07", 5, "message_control"),
    (b"a\rb", 5, "message_control"),
    (b"a\x7fb", 5, "message_control"),
    ("a\x9bb".encode(), 5, "message_control"),
    ("é".encode() * (MIB // 2) + b"x", 5, "message_too_large"),
    (b"a\xffb", 2, "usage"),
    (b"\xed\xa0\x80", 2, "usage"),
]


def test_bytes_that_are_no_message(cli: Cli, orc: Orc, home: Home, subtests: pytest.Subtests) -> None:
    orc.spawn("alice", *SLEEP)
    file = home.root / "message"
    for content, status, code in NO_MESSAGES:
        with subtests.test(content=content[:20]):
            file.write_bytes(content)
            failed = cli("send", "alice", "--file", str(file), "--json")
            assert (failed.status, failed.error["code"]) == (status, code)
            assert failed.error["hint"]
    assert orc.call(m.MESSAGE_LIST, m.ListMessages()).messages == ()


def test_half_a_character_on_the_wire_is_refused(orc: Orc) -> None:
    """JSON can say a lone surrogate where UTF-8 cannot; the connection lives on."""
    orc.spawn("alice", *SLEEP)
    asked = [
        {"jsonrpc": "2.0", "id": 1, "method": "hello", "params": {"protocol": m.PROTOCOL, "version": "x"}},
        {"jsonrpc": "2.0", "id": 2, "method": "message.send", "params": {"target": "alice", "text": "a\ud800b"}},
        {"jsonrpc": "2.0", "id": 3, "method": "message.list", "params": {}},
    ]
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(10)
        peer.connect(orc.paths.socket)
        peer.sendall(b"".join(json.dumps(request).encode() + b"\n" for request in asked))
        with peer.makefile("rb") as lines:
            answers = [json.loads(lines.readline()) for _ in asked]
    (refused,) = [answer["error"] for answer in answers if "error" in answer]
    assert refused["data"]["code"]
    assert [answer["result"] for answer in answers if answer["id"] == 3] == [{"messages": []}]
