"""The program that agents' hooks run: it reports, prints what it is told, and never stands in the agent's way."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
import trio

from tmuxorc import hook
from tmuxorc.wire.methods import HOOK_REPORT, PROTOCOL, HelloReply, HookReply, HookReport
from tmuxorc.wire.server import Session, open_listener, serve

HELLO = HelloReply(protocol=PROTOCOL, version="0", instance="test", pid=1)
Answer = Callable[[HookReport], Awaitable[str]]


@asynccontextmanager
async def supervisor(path: str, answer: Answer) -> AsyncIterator[None]:
    """Somebody who answers hooks on the socket at `path`."""

    async def handle(params: HookReport, session: Session) -> HookReply:
        return HookReply(print=await answer(params))

    async with open_listener(path) as listener, trio.open_nursery() as nursery:
        await nursery.start(partial(serve, listener, {HOOK_REPORT.name: handle}, HELLO))
        yield
        nursery.cancel_scope.cancel()


async def run(event: str, payload: bytes, folder: Path, *, program: tuple[str, ...] = ()) -> bytes:
    """What the hook prints; it ends with status 0."""
    argv = program or (sys.executable, "-I", "-S", hook.__file__)
    variables = {"TMUX_ORC_SOCKET": f"{folder}/s", "TMUX_ORC_AGENT": "main/alice", "TMUX_ORC_RUN": str(folder)}
    with trio.fail_after(20):
        done = await trio.run_process(
            [*argv, event], stdin=payload, capture_stdout=True, capture_stderr=True, env=os.environ | variables
        )
    assert done.stderr == b""
    return bytes(done.stdout)


@pytest.fixture
def folder(home: object, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The agent's private folder, with the supervisor's socket in it."""
    return Path(os.environ["XDG_RUNTIME_DIR"])


async def test_it_reports_and_prints_what_it_is_told(folder: Path) -> None:
    """Texts arrive and come back as they are, whatever is in them."""
    seen: list[HookReport] = []
    text = 'a "quoted" \\ line\n and ünï ✋ \x01'

    async def answer(report: HookReport) -> str:
        seen.append(report)
        return json.dumps({"said": text})

    async with supervisor(f"{folder}/s", answer):
        printed = await run("AfterAgent", json.dumps({"prompt": text}).encode(), folder)
    assert json.loads(printed) == {"said": text}
    (report,) = seen
    assert (report.agent, report.event) == ("main/alice", "AfterAgent")
    assert json.loads(report.payload) == {"prompt": text}


@pytest.mark.parametrize("payload", [b"", b"\xff\xfe garbage \x00", b"[" * 5_000_000], ids=["empty", "garbage", "5 MB"])
async def test_any_payload_is_reported(folder: Path, payload: bytes) -> None:
    """One that is too large is reported without its content."""
    seen: list[str] = []

    async def answer(report: HookReport) -> str:
        seen.append(report.payload)
        return ""

    async with supervisor(f"{folder}/s", answer):
        assert await run("Stop", payload, folder) == b""
    assert seen == [payload.decode(errors="replace") if len(payload) < hook.MOST_BYTES else "{}"]


async def test_without_a_supervisor_it_is_written_down(folder: Path) -> None:
    """In the order of the events, for whoever comes next."""
    assert await run("SessionStart", b'{"id": 1}', folder) == b""
    assert await run("Stop", b"{}", folder) == b""
    lines = [json.loads(line) for line in (folder / "hooks.jsonl").read_text().splitlines()]
    assert lines == [{"event": "SessionStart", "payload": '{"id": 1}'}, {"event": "Stop", "payload": "{}"}]


async def test_the_spool_has_an_end(folder: Path) -> None:
    (folder / "hooks.jsonl").write_bytes(b"x" * hook.MOST_SPOOLED_BYTES)
    assert await run("Stop", b"{}", folder) == b""
    assert (folder / "hooks.jsonl").stat().st_size == hook.MOST_SPOOLED_BYTES


async def test_a_supervisor_that_does_not_answer_keeps_no_agent_waiting(folder: Path) -> None:
    """But for a decision the agent waits itself; see below."""

    async def answer(report: HookReport) -> str:
        await trio.sleep_forever()
        return "never"

    async with supervisor(f"{folder}/s", answer):
        assert await run("Stop", b"{}", folder) == b""
    assert (folder / "hooks.jsonl").exists()


async def test_a_decision_is_waited_for(folder: Path) -> None:
    """Longer than anything else."""
    clock: list[float] = []

    async def answer(report: HookReport) -> str:
        clock.append(trio.current_time())
        with trio.move_on_after(2 * hook.PATIENCE_S):
            await trio.sleep_forever()
        return "allowed"

    async with supervisor(f"{folder}/s", answer):
        assert await run("PermissionRequest", b"{}", folder) == b"allowed"


async def test_an_error_of_the_supervisor_prints_nothing(folder: Path) -> None:
    async def answer(report: HookReport) -> str:
        raise RuntimeError("a defect")

    async with supervisor(f"{folder}/s", answer):
        assert await run("Stop", b"{}", folder) == b""


async def test_the_command_does_the_same(folder: Path) -> None:
    """``tmux-orc hook EVENT`` is the program by its other name."""
    assert await run("Stop", b"{}", folder, program=(str(Path(sys.executable).with_name("tmux-orc")), "hook")) == b""
    assert (folder / "hooks.jsonl").exists()


def test_it_loads_next_to_nothing() -> None:
    """It runs at every turn of every agent."""
    argv = [sys.executable, "-I", "-S", "-X", "importtime", hook.__file__, "Stop"]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "_socket" in loaded
    assert not loaded & {"asyncio", "enum", "json", "re", "selectors", "site", "socket", "subprocess", "typing"}
