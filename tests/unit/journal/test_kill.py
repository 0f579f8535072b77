"""A writer killed at any moment: nothing it acknowledged is lost, nothing is there twice."""

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import trio

from tmuxorc.journal import open_journal

WRITER = Path(__file__).with_name("writer.py")


def killed_writer(path: str, acknowledged: int) -> list[str]:
    """Run a writer until it has acknowledged so many messages, kill it, and return all it acknowledged."""
    with subprocess.Popen([sys.executable, str(WRITER), path], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(acknowledged)]
        writer.send_signal(signal.SIGKILL)
        lines += writer.stdout.readlines()
    return [line.rstrip("\n") for line in lines if line.endswith("\n")]


async def test_what_was_acknowledged_survives_the_kill_of_the_writer(path: str):
    acknowledged: list[str] = []
    for count in (1, 40, 333):
        acknowledged += await trio.to_thread.run_sync(killed_writer, path, count)
        async with open_journal(path) as journal:
            kept = {f"{message.id} {message.text}" for message in (await journal.load()).messages}
        assert set(acknowledged) <= kept
    assert len(set(acknowledged)) == len(acknowledged) >= 374
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()
