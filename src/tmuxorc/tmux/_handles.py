"""A handle on one process that becomes readable when it ends: a pidfd on Linux, a kqueue elsewhere."""

import os
import signal
import sys
from contextlib import suppress

from tmuxorc.errors import TmuxOrcError

if sys.platform == "linux":

    class Handle:
        """A pidfd: it stands for its process for ever, whatever becomes of the pid."""

        def __init__(self, pid: int) -> None:
            self._fd = os.pidfd_open(pid)

        def fileno(self) -> int:
            """Readable once the process has ended."""
            return self._fd

        def send(self, number: signal.Signals) -> None:
            """Signal the process, unless it has ended or is another user's (``sudo``)."""
            with suppress(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(self._fd, number)

        def close(self) -> None:
            """Let go of it."""
            os.close(self._fd)

else:
    import select

    class Handle:
        """A kqueue that waits for the end of the process; a signal goes to the pid, just after it was compared."""

        def __init__(self, pid: int) -> None:
            self._pid = pid
            self._queue = select.kqueue()
            flags = select.KQ_EV_ADD | select.KQ_EV_ONESHOT
            event = select.kevent(pid, filter=select.KQ_FILTER_PROC, flags=flags, fflags=select.KQ_NOTE_EXIT)
            try:
                self._queue.control([event], 0)
            except BaseException:
                self._queue.close()
                raise

        def fileno(self) -> int:
            """Readable once the process has ended."""
            return self._queue.fileno()

        def send(self, number: signal.Signals) -> None:
            """Signal the process, unless it has ended or is another user's (``sudo``)."""
            with suppress(ProcessLookupError, PermissionError):
                os.kill(self._pid, number)

        def close(self) -> None:
            """Let go of it."""
            self._queue.close()


def open_handle(pid: int) -> Handle | None:
    """A handle on the process, or None if there is none with this pid."""
    if pid <= 0:
        return None
    try:
        return Handle(pid)
    except ProcessLookupError:
        return None
    except OSError as error:
        raise TmuxOrcError(f"process {pid} cannot be watched: {error.strerror}") from error
