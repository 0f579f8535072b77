"""Messages that reached nobody, counted by reason and the newest of them kept for a person to read (S21)."""

from collections import Counter, deque
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import Enum

import msgspec


class DeadReason(str, Enum):
    """Why a message reached nobody."""

    UNKNOWN = "unknown"
    STOPPED = "stopped"
    RESTARTED = "restarted"
    FULL = "full"
    EXPIRED = "expired"


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """One message, to whom it was sent, and why it was not taken in to the end."""

    path: str
    message: object
    reason: DeadReason
    at: datetime


class DeadLetters:
    """The newest `keep` dead letters, oldest first when iterated; `counts` knows of all there ever were."""

    def __init__(self, keep: int = 1000) -> None:
        self._letters: deque[DeadLetter] = deque(maxlen=keep)
        self._counts: Counter[DeadReason] = Counter()

    def add(self, path: str, message: object, reason: DeadReason) -> None:
        """Count and keep one."""
        self._counts[reason] += 1
        self._letters.append(DeadLetter(path=path, message=message, reason=reason, at=datetime.now(UTC)))

    @property
    def counts(self) -> dict[DeadReason, int]:
        """How many there were of each reason since the system started."""
        return dict(self._counts)

    @property
    def total(self) -> int:
        """How many there were in all."""
        return self._counts.total()

    def __iter__(self) -> Iterator[DeadLetter]:
        return iter(tuple(self._letters))

    def __len__(self) -> int:
        return len(self._letters)

    def __repr__(self) -> str:
        return f"<DeadLetters {dict(self._counts)}>"
