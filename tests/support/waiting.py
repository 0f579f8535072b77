"""Waiting for events of other processes, always with a deadline."""

import os
import select
import sys


def wait_gone(pid: int, timeout_s: float = 10.0) -> bool:
    """Wait until process `pid`, a child or not, has ended; False if it is still there after `timeout_s`."""
    return _wait_pidfd(pid, timeout_s) if sys.platform == "linux" else _wait_kqueue(pid, timeout_s)


def _wait_pidfd(pid: int, timeout_s: float) -> bool:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], timeout_s)[0])
    finally:
        os.close(descriptor)


def _wait_kqueue(pid: int, timeout_s: float) -> bool:
    exits = select.kevent(pid, select.KQ_FILTER_PROC, select.KQ_EV_ADD, select.KQ_NOTE_EXIT)
    queue = select.kqueue()
    try:
        return bool(queue.control([exits], 1, timeout_s))
    except ProcessLookupError:
        return True
    finally:
        queue.close()
