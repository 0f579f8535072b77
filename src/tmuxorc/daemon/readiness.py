"""What a starting supervisor tells whoever started it, over a pipe: that it is ready, or why it will not be.

The pipe is the new process's standard output and error until its log is open, so that what goes wrong before that
(an interpreter that does not start, a broken installation) is told too.
"""

import os
import select
import time
from contextlib import suppress

import msgspec

from tmuxorc import jsontext
from tmuxorc.errors import TmuxOrcError
from tmuxorc.model import Frozen
from tmuxorc.wire.codec import error_of, rpc_error
from tmuxorc.wire.methods import RpcError


class Verdict(Frozen, forbid_unknown_fields=True, tag_field="tmuxorc", tag="start"):
    """The one line that ends the wait: `error` is None when the supervisor `pid` is ready."""

    pid: int
    error: RpcError | None = None


class Starter:
    """The starting supervisor's end of the pipe, and its share of the start lock; both are let go with the verdict.

    With no descriptors (a supervisor started in the foreground) nobody is told anything.
    """

    def __init__(self, *descriptors: int) -> None:
        self._descriptors = descriptors
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)

    def ready(self) -> None:
        """Say that requests are answered now."""
        self._tell(Verdict(pid=os.getpid()))

    def failed(self, error: TmuxOrcError) -> None:
        """Say why there will be no supervisor; nothing is said after `ready`."""
        self._tell(Verdict(pid=os.getpid(), error=rpc_error(error)))

    def _tell(self, verdict: Verdict) -> None:
        descriptors, self._descriptors = self._descriptors, ()
        for number, descriptor in enumerate(descriptors):
            if number == 0:
                with suppress(OSError):  # whoever asked may have gone
                    os.write(descriptor, b"\n" + jsontext.encode(verdict, enc_hook=repr) + b"\n")
            os.close(descriptor)


class Report:
    """What came through the pipe: the `verdict`, if any, and everything else as `noise`."""

    def __init__(self, data: bytes) -> None:
        lines = data.split(b"\n")
        verdicts = [verdict for line in lines if (verdict := _verdict(line))]
        self.verdict = verdicts[0] if verdicts else None
        self.noise = b"\n".join(line for line in lines if line and not _verdict(line)).decode(errors="replace")

    @property
    def error(self) -> TmuxOrcError | None:
        """The error that kept the supervisor from starting, as it was raised there."""
        return error_of(self.verdict.error) if self.verdict and self.verdict.error else None


def wait_for_verdict(pipe: int, timeout_s: float) -> Report | None:
    """Read `pipe` until it ends or the verdict has come; None when neither happens within `timeout_s` seconds."""
    deadline = time.monotonic() + timeout_s
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    data = b""
    while poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        chunk = os.read(pipe, 65536)
        data += chunk
        report = Report(data)
        if report.verdict or not chunk:
            return report
    return None


def _verdict(line: bytes) -> Verdict | None:
    try:
        return msgspec.json.decode(line, type=Verdict)
    except (ValueError, RecursionError):
        return None
