"""Write messages for ever from twenty tasks; print ``ID TEXT`` of each once it is acknowledged."""

import os
import sys
from itertools import count

import trio

from tmuxorc.journal import Journal, NewMessage, open_journal


async def write(journal: Journal, task: int) -> None:
    for number in count():
        new = NewMessage(sender="writer", target="main/alice", text=f"{os.getpid()}-{task}-{number}")
        (message,) = await journal.accept((new,))
        os.write(1, f"{message.id} {message.text}\n".encode())


async def main() -> None:
    async with open_journal(sys.argv[1]) as journal, trio.open_nursery() as nursery:
        for task in range(20):
            nursery.start_soon(write, journal, task)


trio.run(main)
