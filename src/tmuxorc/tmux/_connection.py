"""One ``tmux -C`` client as a trio object: command lines out, replies back in order, every other event to one sink.

The reader task is the only one that touches the parser and the queue of requests under way.  Events are handed on by a
plain call, so a thousand of them cost no task switch; under a steady stream the reader takes short naps so that one
wake-up brings many events, and a command under way ends the nap at once.
"""

import os
import subprocess
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

import trio

from tmuxorc.tmux._errors import TmuxGone, TmuxTimeout, refusal
from tmuxorc.tmux._install import Endpoint
from tmuxorc.tmux._protocol import ControlEvent, ControlParser, Notice, Reply, Stray

Sink = Callable[[ControlEvent], None]

NAP_S: Final = 0.02
BUSY_GAP_S: Final = 0.01
CHUNK: Final = 256 * 1024
DEADLINE_S: Final = 10.0
PAUSE_AFTER_S: Final = 5
END_S: Final = 2.0


class _Request:
    """Replies being waited for: a number of them, or all up to the one that says the `fence`."""

    __slots__ = ("count", "done", "failure", "fence", "first", "replies")

    def __init__(self, count: int, fence: bytes | None = None, first: Callable[[Reply], None] | None = None) -> None:
        self.count = count
        self.fence = fence
        self.first = first
        self.replies: list[Reply] = []
        self.done = trio.Event()
        self.failure: str | None = None

    def take(self, reply: Reply) -> bool:
        """Whether this reply was the last one."""
        if self.fence is not None and reply.lines == (self.fence,):
            return True
        self.replies.append(reply)
        if self.first is not None and len(self.replies) == 1:
            self.first(reply)
        return len(self.replies) == self.count


class Connection:
    """A control client; `connect` makes one, runs its two tasks and ends it."""

    def __init__(self, process: trio.Process, sink: Sink) -> None:
        self._process = process
        self._sink = sink
        self._parser = ControlParser()
        self._requests: deque[_Request] = deque()
        self._unsent = bytearray()
        self._to_send = trio.Event()
        self._attached = _Request(1)
        self._gone: str | None = None
        self._closed = trio.Event()
        self._nap: trio.CancelScope | None = None
        self._fences = 0
        self._last_words: list[bytes] = []
        self.overdue = trio.Event()
        """Set once a command was not answered in time: what it does may still happen, at any moment."""
        self.reads = 0
        """Wake-ups so far: far fewer than events, under load."""

    def __repr__(self) -> str:
        state = "attached" if self._gone is None else f"gone: {self._gone}"
        return f"<Connection pid={self._process.pid} {state}, {len(self._requests)} under way>"

    @property
    def pid(self) -> int:
        """The client's process."""
        return self._process.pid

    async def send(self, lines: Sequence[bytes], *, deadline_s: float = DEADLINE_S) -> list[Reply]:
        """One reply for each line; each line must be a single command that makes a single block."""
        return await self._request(lines, _Request(len(lines)), deadline_s)

    async def send_fenced(
        self,
        lines: Sequence[bytes],
        *,
        first: Callable[[Reply], None] | None = None,
        deadline_s: float = DEADLINE_S,
    ) -> list[Reply]:
        """All replies to lines of which it is not known beforehand how many blocks they make.

        `first` is called with the first of them, before any event that comes after it is handed on.
        """
        self._fences += 1
        fence = b"tmuxorc-fence-%d" % self._fences
        request = _Request(0, fence, first)
        return await self._request([*lines, b"display-message -p " + fence], request, deadline_s)

    def post(self, line: bytes) -> None:
        """Send a command whose answer nobody waits for."""
        if self._gone is None:
            self._requests.append(_Request(1))
            self._write(line + b"\n")

    async def wait_closed(self) -> None:
        """Return never; raise `TmuxGone` when the connection has ended."""
        await self._closed.wait()
        raise self._failure()

    async def _request(self, lines: Sequence[bytes], request: _Request, deadline_s: float) -> list[Reply]:
        if self._gone is not None:
            raise self._failure()
        self._requests.append(request)
        self._write(b"\n".join(lines) + b"\n")
        if self._nap is not None:
            self._nap.cancel()
        with trio.move_on_after(deadline_s):
            await request.done.wait()
        if request.failure is not None:
            raise self._failure()
        if not request.done.is_set():
            self.overdue.set()
            raise TmuxTimeout(f"tmux did not answer within {deadline_s:g} s")
        return request.replies

    def _write(self, data: bytes) -> None:
        """Write at once what the pipe takes, and leave the rest to the writer."""
        sent = 0
        if not self._unsent:
            try:
                sent = os.write(self._stdin, data)
            except BlockingIOError:
                pass
            except OSError:
                return  # the reader sees the end and fails the request
        if sent < len(data):
            self._unsent += memoryview(data)[sent:]
            self._to_send.set()

    @property
    def _stdin(self) -> int:
        assert isinstance(self._process.stdin, trio.lowlevel.FdStream)
        return self._process.stdin.fileno()

    def _failure(self) -> TmuxGone:
        return TmuxGone(f"the connection to tmux is gone: {self._gone}")

    async def write_rest(self) -> None:
        """Write what the pipe would not take at once; a task of its own."""
        while self._gone is None:
            await self._to_send.wait()
            self._to_send = trio.Event()
            while self._unsent:
                await trio.lowlevel.wait_writable(self._stdin)
                try:
                    del self._unsent[: os.write(self._stdin, self._unsent)]
                except BlockingIOError:
                    continue
                except OSError:
                    return

    async def read(self) -> None:
        """Take in events until the connection ends; a task of its own."""
        stdout = self._process.stdout
        assert stdout is not None
        last = -1.0
        while data := await self._receive(stdout):
            self.reads += 1
            for event in self._parser.feed(data):
                self._dispatch(event)
            if trio.current_time() - last < BUSY_GAP_S and not self._requests:
                await self._rest()
            last = trio.current_time()
        self._end(self._reason())

    async def _receive(self, stdout: trio.abc.ReceiveStream) -> bytes:
        try:
            return bytes(await stdout.receive_some(CHUNK))
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return b""

    async def _rest(self) -> None:
        with trio.move_on_after(NAP_S) as self._nap:
            await trio.sleep_forever()
        self._nap = None

    def _dispatch(self, event: ControlEvent) -> None:
        if not isinstance(event, Reply):
            self._note_last_words(event)
            self._sink(event)
        elif event.ours:
            self._answer(event)
        elif not self._attached.done.is_set():
            self._attached.take(event)
            self._attached.done.set()

    def _note_last_words(self, event: ControlEvent) -> None:
        if isinstance(event, Stray) and not self._attached.done.is_set():
            self._last_words.append(event.line)
        elif isinstance(event, Notice) and event.name == "exit":
            self._last_words = [event.rest]

    def _answer(self, reply: Reply) -> None:
        if self._requests and self._requests[0].take(reply):
            self._requests.popleft().done.set()

    def _reason(self) -> str:
        said = b" ".join(self._last_words).decode(errors="replace").strip()
        return said or "the server or the client ended"

    def _end(self, reason: str) -> None:
        self._gone = reason
        self._to_send.set()
        for request in (*self._requests, self._attached):
            if not request.done.is_set():
                request.failure = reason
                request.done.set()
        self._requests.clear()
        self._closed.set()

    async def wait_attached(self, deadline_s: float) -> None:
        """Wait for the block the attach itself makes: tmux refuses commands sent before it."""
        with trio.move_on_after(deadline_s):
            await self._attached.done.wait()
        if not self._attached.done.is_set():
            raise TmuxTimeout(f"tmux did not attach within {deadline_s:g} s")
        if self._attached.failure is not None:
            raise self._failure()
        if self._attached.replies[0].error:
            raise refusal("attach-session", b" ".join(self._attached.replies[0].lines).decode(errors="replace"))

    async def finish(self) -> None:
        """End of input detaches the client; one that does not go is killed."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        await stdin.aclose()
        with trio.move_on_after(END_S):
            await self._process.wait()
        self._process.kill()
        await self._process.wait()
        await stdout.aclose()
        self._end(self._reason())


@asynccontextmanager
async def connect(
    endpoint: Endpoint, session: str, sink: Sink, *, deadline_s: float = DEADLINE_S
) -> AsyncGenerator[Connection, None]:
    """Attach a control client to the session with this id; `sink` is called for every event but replies.

    The client never starts a server, counts for no window's size, and lets tmux pause a pane we do not keep up with.
    """
    argv = [endpoint.binary, "-u", "-N", "-S", endpoint.socket_path, "-C", "attach-session", "-t", session]
    process = await trio.lowlevel.open_process(
        [*argv, "-f", f"ignore-size,pause-after={PAUSE_AFTER_S}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={name: value for name, value in os.environ.items() if name not in ("TMUX", "TMUX_PANE")},
        start_new_session=True,
    )
    connection = Connection(process, sink)
    async with background(connection.read, connection.write_rest):
        try:
            await connection.wait_attached(deadline_s)
            yield connection
        finally:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + 2 * END_S):
                await connection.finish()


@asynccontextmanager
async def background(*tasks: Callable[[], Awaitable[object]]) -> AsyncGenerator[None, None]:
    """Run `tasks` while the block runs, and end them with it; what the block raises comes out as it is, ungrouped."""
    failure: Exception | None = None
    async with trio.open_nursery() as nursery:
        for task in tasks:
            nursery.start_soon(task)
        try:
            yield
        except Exception as error:  # noqa: BLE001 - raised on below, from outside the nursery
            failure = error
        nursery.cancel_scope.cancel()
    if failure is not None:
        raise failure
