"""What codex asks through its app-server, as prompts, and the answers that each option stands for.

A request that is not understood is shown without options: it is never answered from here.
"""

import msgspec

from tmuxorc.channels._codex_frames import Frame, Id, Wire
from tmuxorc.model import Frozen, Prompt, PromptOption

LABELS = {
    "accept": "Yes, proceed",
    "acceptForSession": "Yes, and don't ask again in this session",
    "acceptWithExecpolicyAmendment": "Yes, and don't ask again for such commands",
    "applyNetworkPolicyAmendment": "Yes, and change the network policy",
    "decline": "No, continue without it",
    "cancel": "No, and interrupt the turn",
}
"""What the decisions mean, for which the server has no words."""

USUAL = ("accept", "decline", "cancel")

COMMAND = "item/commandExecution/requestApproval"
FILES = "item/fileChange/requestApproval"
PERMISSIONS = "item/permissions/requestApproval"
QUESTIONS = "item/tool/requestUserInput"
ELICITATION = "mcpServer/elicitation/request"

SILENT = ("attestation/generate", "currentTime/read", "account/chatgptAuthTokens/refresh", "item/tool/call")
"""Requests to the program that wears codex, not to a person; the TUI sees to them."""

Decision = str | dict[str, object]


class Option(Wire):
    """One answer that a question offers."""

    label: str = ""


class Question(Wire):
    """One question of the model's."""

    id: str = ""
    question: str = ""
    is_secret: bool = False
    options: tuple[Option, ...] | None = None


class Asked(Wire):
    """The members of all requests that are looked at."""

    thread_id: str = ""
    kind: str = "command"
    reason: str | None = None
    command: str | None = None
    available_decisions: tuple[Decision, ...] | None = None
    grant_root: str | None = None
    permissions: dict[str, object] = {}
    questions: tuple[Question, ...] = ()
    server_name: str = ""
    message: str = ""
    mode: str = ""
    is_blocking: bool = True


class Open(Frozen):
    """A prompt that waits: the server's `request`, the `thread` it belongs to, and the result for each option's key."""

    request: Id
    thread: str
    prompt: Prompt
    results: dict[str, object]


def read_request(frame: Frame, connection: str) -> Open | None:
    """What a request asks; None if it is no question for a person.

    `connection` sets prompts of different connections apart: request ids begin anew with each server.
    """
    if frame.id is None or frame.method in SILENT:
        return None
    try:
        asked = msgspec.json.decode(frame.params, type=Asked)
    except msgspec.MsgspecError:
        asked = Asked()
    question, choices, approve, deny = _READERS.get(frame.method, _unknown)(asked)
    prompt = Prompt(
        id=f"{connection}-{frame.id}",
        source="codex",
        question=question or f"codex asks by {frame.method}",
        command=asked.command or "",
        options=tuple(PromptOption(key=key, label=label) for key, label, _ in choices),
        approve=approve,
        deny=deny,
    )
    return Open(
        request=frame.id,
        thread=asked.thread_id,
        prompt=prompt,
        results={key: result for key, _, result in choices},
    )


Choices = list[tuple[str, str, object]]
"""Key, label and result of each option."""

Read = tuple[str, Choices, str, str]
"""The question, its options, and which of them allow it once and refuse it."""


def _command(asked: Asked) -> Read:
    choices = [_decision(found) for found in asked.available_decisions or USUAL]
    if all(key != "decline" for key, _, _ in choices):  # taken in any case, and alone does not end the turn
        choices.append(_decision("decline"))
    keys = [key for key, _, _ in choices]
    approve = "accept" if "accept" in keys and asked.kind != "humanCommand" else ""
    return asked.reason or "Would you like to run the following command?", choices, approve, "decline"


def _files(asked: Asked) -> Read:
    where = f" below {asked.grant_root}" if asked.grant_root else ""
    question = asked.reason or f"Would you like to make the following edits{where}?"
    choices = [_decision(found) for found in ("accept", "acceptForSession", "decline", "cancel")]
    return question, choices, "accept", "decline"


def _permissions(asked: Asked) -> Read:
    choices: Choices = [
        ("turn", "Yes, for this turn", {"permissions": asked.permissions, "scope": "turn"}),
        ("session", "Yes, for this session", {"permissions": asked.permissions, "scope": "session"}),
        ("decline", LABELS["decline"], {"permissions": {}, "scope": "turn"}),
    ]
    return asked.reason or "Would you like to grant these permissions?", choices, "turn", "decline"


def _questions(asked: Asked) -> Read:
    """One question with options can be answered here; several, or free words, are for the person at the terminal."""
    question = " / ".join(found.question for found in asked.questions)
    if len(asked.questions) != 1 or asked.questions[0].is_secret:
        return question, [], "", ""
    only = asked.questions[0]
    choices: Choices = [
        (str(number), option.label, {"answers": {only.id: {"answers": [option.label]}}})
        for number, option in enumerate(only.options or (), 1)
    ]
    return question, choices, "", ""


def _elicitation(asked: Asked) -> Read:
    """A form wants fields filled in; declining it is all that can be done without looking at them."""
    question = f"{asked.server_name}: {asked.message}".strip(": ")
    no: dict[str, object] = {"content": None, "_meta": None}
    choices: Choices = [
        ("decline", "No", {"action": "decline", **no}),
        ("cancel", "Dismiss", {"action": "cancel", **no}),
    ]
    return question, choices, "", "decline"


def _unknown(asked: Asked) -> Read:
    return asked.reason or asked.message, [], "", ""


def _decision(decision: Decision) -> tuple[str, str, object]:
    """A decision is a word, or an object with a word as its only name."""
    key = decision if isinstance(decision, str) else next(iter(decision), "")
    return key, LABELS.get(key, key), {"decision": decision}


_READERS = {
    COMMAND: _command,
    FILES: _files,
    PERMISSIONS: _permissions,
    QUESTIONS: _questions,
    ELICITATION: _elicitation,
}
