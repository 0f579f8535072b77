"""What Claude Code asks by its hook ``PermissionRequest``, and what that hook must print to answer.

The hook runs while the dialog shows.  Whatever it prints while the dialog is still open closes it.
"""

from typing import Any

import msgspec

from tmuxorc.model import Frozen, Prompt, PromptOption

ALLOW, DENY = "yes", "no"
"""Keys of a prompt's first and last option; ``always`` (``always2`` and so on) are between them."""

DENIED = "Refused by a person."
"""What the model is told of a prompt that was turned down."""

QUESTIONS = "AskUserQuestion"
"""The tool whose prompt is no permission but a question of the model's own, its options numbered from 1."""

MOST_DETAIL = 2000
"""Characters kept of what a prompt would run."""

_COMMAND = ("command", "file_path", "notebook_path", "url", "query", "plan", "skill", "pattern", "path")


class HookInput(msgspec.Struct, frozen=True):
    """The fields that matter of what a hook is given; all are optional, for versions differ."""

    session_id: str = ""
    transcript_path: str = ""
    source: str = ""
    reason: str = ""
    prompt: str = ""
    prompt_id: str = ""
    message: str = ""
    notification_type: str = ""
    error: str = ""
    agent_id: str = ""
    agent_type: str = ""
    tool_name: str = ""
    tool_input: dict[str, Any] = {}
    permission_suggestions: list[dict[str, Any]] = []


class Question(msgspec.Struct, frozen=True):
    """One question of `QUESTIONS`."""

    question: str
    options: tuple[dict[str, Any], ...] = ()
    multi_select: bool = msgspec.field(default=False, name="multiSelect")


class Asked(Frozen):
    """An open prompt, and what its hook is to print for each option's key; `agent` is the sub-agent that asks."""

    prompt: Prompt
    agent: str
    answers: dict[str, bytes]


def read_hook(payload: bytes) -> HookInput:
    """The payload's fields, or none of them if it is not what was expected."""
    try:
        return msgspec.json.decode(payload, type=HookInput)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return HookInput()


def command_of(said: HookInput) -> str:
    """What would be run, read or written: the one field that says it, else all of them."""
    for name in _COMMAND:
        if isinstance(value := said.tool_input.get(name), str):
            return value
    return msgspec.json.encode(said.tool_input).decode() if said.tool_input else ""


def asked_of(said: HookInput, prompt_id: str) -> Asked:
    """The prompt that a payload of the hook tells of."""
    questions = _questions(said) if said.tool_name == QUESTIONS else ()
    options = _answers(said, questions) if said.tool_name == QUESTIONS else _permission(said)
    keys = [option.key for option, _ in options]
    prompt = Prompt(
        id=prompt_id,
        source="hook",
        question=" ".join(each.question for each in questions) or _permission_asked(said),
        command="" if questions else command_of(said)[:MOST_DETAIL],
        options=tuple(option for option, _ in options),
        approve=ALLOW if ALLOW in keys else "",
        deny=DENY,
    )
    answers = {option.key: _printed(decision) for option, decision in options}
    return Asked(prompt=prompt, agent=said.agent_id, answers=answers)


def _permission_asked(said: HookInput) -> str:
    who = f" for the {said.agent_type or 'sub-'} agent" if said.agent_id else ""
    return f"Allow {said.tool_name or 'a tool'}{who}?"


Options = list[tuple[PromptOption, dict[str, Any]]]


def _permission(said: HookInput) -> Options:
    options: Options = [(PromptOption(key=ALLOW, label="Yes"), {"behavior": "allow"})]
    for number, suggestion in enumerate(said.permission_suggestions, 1):
        key = "always" if number == 1 else f"always{number}"
        decision = {"behavior": "allow", "updatedPermissions": [suggestion]}
        options.append((PromptOption(key=key, label=f"Yes, and {_suggested(suggestion)}"), decision))
    return [*options, _refusal()]


def _refusal() -> tuple[PromptOption, dict[str, Any]]:
    return PromptOption(key=DENY, label="No"), {"behavior": "deny", "message": DENIED}


def _suggested(suggestion: dict[str, Any]) -> str:
    """A suggestion in words, as far as its fields are plain."""
    where = {"session": "for this session"}.get(str(suggestion.get("destination")), "from now on")
    match suggestion:
        case {"type": "setMode", "mode": str(mode)}:
            return f"change to mode {mode} {where}"
        case {"type": "addDirectories", "directories": [*folders]}:
            return f"allow {', '.join(map(str, folders))} {where}"
        case {"type": "addRules", "rules": [*rules]}:
            return f"allow {', '.join(map(_rule, rules))} {where}"
        case _:
            return f"apply {msgspec.json.encode(suggestion).decode()}"


def _rule(rule: object) -> str:
    match rule:
        case {"toolName": str(tool), "ruleContent": str(content)}:
            return f"{tool}({content})"
        case {"toolName": str(tool)}:
            return tool
        case _:
            return str(rule)


def _questions(said: HookInput) -> tuple[Question, ...]:
    try:
        return msgspec.convert(said.tool_input.get("questions"), type=tuple[Question, ...])
    except msgspec.ValidationError:
        return ()


def _answers(said: HookInput, questions: tuple[Question, ...]) -> Options:
    """Those of a question that a single option answers; several can only be answered in the pane."""
    if len(questions) != 1 or questions[0].multi_select:
        return [_refusal()]
    question = questions[0]
    labels = [str(option.get("label", "")) for option in question.options]
    return [
        *(
            (PromptOption(key=str(number), label=label), _answered(said, {question.question: label}))
            for number, label in enumerate(labels, 1)
        ),
        _refusal(),
    ]


def _answered(said: HookInput, answers: dict[str, str]) -> dict[str, Any]:
    return {"behavior": "allow", "updatedInput": {**said.tool_input, "answers": answers}}


def _printed(decision: dict[str, Any]) -> bytes:
    return msgspec.json.encode({"hookSpecificOutput": {"hookEventName": "PermissionRequest", "decision": decision}})
