"""The word a delivery leaves on its pane: tmux writes it in the same breath as the keys, and it outlives us."""

import re
from enum import Enum
from typing import Self

from tmuxorc.model import Frozen, MessageView, Rung

_WORD = re.compile(r"([A-Za-z0-9._-]+):([a-z]+):([A-Za-z0-9._-]+)")


class Stage(str, Enum):
    """How far the keys of one message have gone."""

    PASTED = "pasted"
    SUBMITTED = "submitted"
    RESUBMITTED = "resubmitted"

    @property
    def pressed(self) -> bool:
        """Whether the submit key was pressed at least once."""
        return self is not Stage.PASTED


class Marker(Frozen):
    """`token` names one attempt at one message, `incarnation` the process that got the keys.

    As a string it is ``m-17:pasted:3.4711``: nothing in it is special to tmux.
    """

    token: str
    stage: Stage
    incarnation: str

    def __str__(self) -> str:
        return f"{self.token}:{self.stage.value}:{self.incarnation}"

    @classmethod
    def parse(cls, word: str | None) -> Self | None:
        """The marker written as `word`, or None if it is none of ours."""
        match = _WORD.fullmatch(word or "")
        if match is None or match[2] not in list(Stage):
            return None
        return cls(token=match[1], stage=Stage(match[2]), incarnation=match[3])


def token_of(message: MessageView) -> str:
    """The message's id, and the number of the attempt once an operator has had it delivered again.

    Each attempt begins with the rung `accepted` in the message's history.
    """
    attempts = sum(step.rung is Rung.ACCEPTED for step in message.history)
    return message.id if attempts < 2 else f"{message.id}.{attempts}"
