"""What opencode asks a person, and the requests that answer it (seen on 1.18.33)."""

import msgspec

from tmuxorc.channels._base import PromptOver
from tmuxorc.model import Frozen, Prompt, PromptOption

NAME = "opencode"
REJECT = "reject"


class Asked(Frozen):
    """An open prompt; `word` says of which sort, ``permission`` or ``question``."""

    word: str
    prompt: Prompt

    def answer(self, key: str) -> tuple[str, bytes]:
        """Path and body of the request that answers with option `key`.  Raises `PromptOver` if there is none such."""
        option = next((option for option in self.prompt.options if option.key == key), None)
        if option is None:
            raise PromptOver(f"the prompt has no option {key!a}")
        if self.word == "permission":
            return f"/permission/{self.prompt.id}/reply", msgspec.json.encode({"reply": key})
        if key == REJECT:
            return f"/question/{self.prompt.id}/reject", b"{}"
        return f"/question/{self.prompt.id}/reply", msgspec.json.encode({"answers": [[option.label]]})


class _Permission(Frozen):
    id: str
    permission: str
    patterns: tuple[str, ...] = ()
    metadata: dict[str, object] = {}


class _Option(Frozen):
    label: str


class _Question(Frozen):
    question: str
    options: tuple[_Option, ...] = ()


class _Questions(Frozen):
    id: str
    questions: tuple[_Question, ...]


_PERMISSION = (
    PromptOption(key="once", label="Allow once"),
    PromptOption(key="always", label="Allow always"),
    PromptOption(key=REJECT, label="Reject"),
)


def permission(raw: msgspec.Raw) -> Asked:
    """A permission that is asked for.  Raises `msgspec.MsgspecError`."""
    asked = msgspec.json.decode(raw, type=_Permission)
    command = asked.metadata.get("command") or asked.metadata.get("filepath") or ", ".join(asked.patterns)
    prompt = Prompt(
        id=asked.id,
        source=NAME,
        question=f"Permission required: {asked.permission}",
        command=str(command),
        options=_PERMISSION,
        approve="once",
        deny=REJECT,
    )
    return Asked(word="permission", prompt=prompt)


def question(raw: msgspec.Raw) -> Asked:
    """What the model asks.  Several questions at once can only be dismissed here.  Raises `msgspec.MsgspecError`."""
    asked = msgspec.json.decode(raw, type=_Questions)
    single = asked.questions[0].options if len(asked.questions) == 1 else ()
    options = [PromptOption(key=str(number), label=option.label) for number, option in enumerate(single, 1)]
    prompt = Prompt(
        id=asked.id,
        source=NAME,
        question=" / ".join(one.question for one in asked.questions),
        options=(*options, PromptOption(key=REJECT, label="Dismiss")),
        deny=REJECT,
    )
    return Asked(word="question", prompt=prompt)
