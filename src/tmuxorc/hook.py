"""What an agent's hook runs: `python -I -S hook.py EVENT` hands the event to the supervisor and prints its answer.

It must never delay or fail the agent: it is a script that imports two C modules, ends with status 0 whatever happens,
and gives up after `PATIENCE_S`.  Where no supervisor answers, the event goes into the spool in the agent's private
folder, from which the next supervisor takes it.  Where the agent waits for a decision, so does the hook.
"""

import _socket
import os
import sys
from _json import encode_basestring_ascii  # what `json.dumps` does with a string, without loading `json`

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from typing import NoReturn

PATIENCE_S = 1.5
"""How long an agent that waits for nothing is kept; a supervisor answers in a few milliseconds."""

DECISIONS = ("PermissionRequest",)
"""Events whose answer a person may take their time for; the agent's own limit for the hook ends the wait."""

MOST_BYTES = 4 * 1024 * 1024
"""Of a payload that is larger nothing is passed on but that there was one."""

MOST_SPOOLED_BYTES = 4 * 1024 * 1024
HELLO = b'{"jsonrpc":"2.0","id":1,"method":"hello","params":{"protocol":1,"version":"hook","client":"hook"}}\n'
NOTHING = b'"print":""'


def main() -> "NoReturn":
    """Report the event named on the command line, with the payload on standard input."""
    try:
        event = sys.argv[1] if len(sys.argv) > 1 else ""
        payload = read_payload()
        answer = report(os.environ.get("TMUX_ORC_SOCKET", ""), os.environ.get("TMUX_ORC_AGENT", ""), event, payload)
        if answer:
            os.write(1, answer)
    finally:
        os._exit(0)  # whatever went wrong here is not the agent's business


def read_payload() -> bytes:
    """What the agent says of the event."""
    pieces: list[bytes] = []
    size = 0
    while piece := os.read(0, 1 << 20):
        size += len(piece)
        if size <= MOST_BYTES:
            pieces.append(piece)
    return b"".join(pieces) if size <= MOST_BYTES else b"{}"


def report(path: str, agent: str, event: str, payload: bytes) -> bytes:
    """Ask the supervisor at `path`, or write the event down for a later one."""
    try:
        return ask(path, request(agent, event, payload), None if event in DECISIONS else PATIENCE_S)
    except OSError:
        spool(event, payload)
        return b""


def request(agent: str, event: str, payload: bytes) -> bytes:
    """The line that reports."""
    text = payload.decode("utf-8", "replace")
    params = ",".join(
        f'"{name}":{encode_basestring_ascii(value)}'
        for name, value in (("agent", agent), ("event", event), ("payload", text))
    )
    return f'{{"jsonrpc":"2.0","id":2,"method":"hook.report","params":{{{params}}}}}\n'.encode()


def ask(path: str, line: bytes, timeout_s: "float | None") -> bytes:
    """What is to be printed; raises `OSError` if nobody answers."""
    with_peer: socket.socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)  # type: ignore[assignment]
    with_peer.settimeout(PATIENCE_S)
    with_peer.connect(path)
    send(with_peer, HELLO + line)
    with_peer.settimeout(timeout_s)
    received = b""
    while received.count(b"\n") < 2:
        data = with_peer.recv(1 << 16)
        if not data:
            raise OSError("the supervisor hung up")
        received += data
    return printed(received.split(b"\n")[1])


def send(with_peer: "socket.socket", data: bytes) -> None:
    """All of it; the C module has no `sendall` that keeps to a deadline."""
    while data:
        data = data[with_peer.send(data) :]


def printed(answer: bytes) -> bytes:
    """The text in an answer, which is nearly always nothing."""
    if NOTHING in answer:
        return b""
    import json

    said: dict[str, dict[str, str]] = json.loads(answer)
    return said.get("result", {}).get("print", "").encode()


def spool(event: str, payload: bytes) -> None:
    """Write the event down, in one write, unless too much waits there already."""
    folder = os.environ.get("TMUX_ORC_RUN", "")
    if not folder:
        return
    text = payload.decode("utf-8", "replace")
    line = f'{{"event":{encode_basestring_ascii(event)},"payload":{encode_basestring_ascii(text)}}}\n'.encode()
    file = os.open(f"{folder}/hooks.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    if os.fstat(file).st_size + len(line) <= MOST_SPOOLED_BYTES:
        os.write(file, line)


if __name__ == "__main__":
    main()
