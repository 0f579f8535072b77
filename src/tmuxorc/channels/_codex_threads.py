"""Which of an app-server's threads the person sees; those that codex keeps for itself do not count."""

from tmuxorc.channels._codex_frames import Status, Thread

WAITING = ("waitingOnApproval", "waitingOnUserInput")


class Threads:
    """The threads of one server: `tops` are those that a person may speak in, `others` the status of sub-agents'.

    `session` is the thread last known to be seen; `unread` are those that were listed and not looked at yet.
    """

    def __init__(self, session: str) -> None:
        self.session = session
        self.tops: dict[str, Thread] = {}
        self.others: dict[str, Status] = {}
        self.unread: set[str] = set()

    def __repr__(self) -> str:
        return f"<Threads {list(self.tops)} and {len(self.others)} of sub-agents>"

    def meet(self, thread: Thread) -> None:
        """There is this thread."""
        if thread.top:
            self.tops[thread.id] = thread
        elif not thread.ephemeral:
            self.others[thread.id] = thread.status

    def forget(self, thread: str) -> None:
        """It was closed."""
        self.tops.pop(thread, None)
        self.others.pop(thread, None)

    def choice(self) -> Thread | None:
        """The thread last known, unless a new one was begun behind our back; else the newest."""
        known = self.tops.get(self.session)
        begun = any(not thread.preview and thread.id > self.session for thread in self.tops.values())
        return known if known and not begun else max(self.tops.values(), key=lambda top: top.id, default=None)

    def turn_to(self, thread: str, status: Status) -> tuple[bool, bool]:
        """A sub-agent's status changes: whether it waited for a person before, and whether it does now."""
        waited, waits = waits_for_person(self.others[thread]), waits_for_person(status)
        self.others[thread] = status
        return waited, waits

    def waiting(self, own: Status) -> set[str]:
        """What the person is waited for, in the thread of status `own` or by sub-agents."""
        return {flag for status in (own, *self.others.values()) for flag in status.active_flags}


def waits_for_person(status: Status) -> bool:
    """Whether a prompt is open."""
    return any(flag in WAITING for flag in status.active_flags)
