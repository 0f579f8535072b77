"""Lines waiting to be written to one client, bounded by bytes so that a slow reader holds up nobody but itself."""

from collections import deque

import trio

HIGH_WATER = 1024 * 1024


class Outbox:
    """A queue of lines between the tasks that answer and the one that writes.

    It is over-full when `HIGH_WATER` bytes wait: then `put` waits, and the connection reads no further requests.
    """

    def __init__(self, high_water: int = HIGH_WATER) -> None:
        self._high_water = high_water
        self._lines: deque[bytes] = deque()
        self._size = 0
        self._closed = False
        self._filled = trio.Event()
        self._drained = trio.lowlevel.ParkingLot()

    def __repr__(self) -> str:
        return f"<Outbox {len(self._lines)} lines, {self._size} bytes{', closed' if self._closed else ''}>"

    def push(self, line: bytes) -> None:
        """Add a line whatever the level: for the one last word of a request that is being cancelled."""
        self._lines.append(line)
        self._size += len(line)
        self._filled.set()

    async def put(self, line: bytes) -> None:
        """Wait for room and add a line; no checkpoint when there is room."""
        await self.room()
        self.push(line)

    async def room(self) -> None:
        """Wait until the level is below the mark."""
        while self._size >= self._high_water:
            await self._drained.park()

    async def take(self) -> bytes:
        """All that waits, as one piece; empty once closed and drained."""
        await self._filled.wait()
        piece = b"".join(self._lines)
        self._lines.clear()
        self._size = 0
        if not self._closed:
            self._filled = trio.Event()
        self._drained.unpark_all()
        return piece

    def close(self) -> None:
        """No more lines will come; `take` gives what is left, then nothing."""
        self._closed = True
        self._filled.set()
