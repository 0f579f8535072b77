"""What may be asked of an agent that runs: why it is thought to be so, to answer its prompt, to end its turn."""

from collections.abc import Generator
from contextlib import contextmanager

import msgspec
import trio

from tmuxorc.actors._contact import Contact
from tmuxorc.actors._observe import Observer
from tmuxorc.actors.services import Services
from tmuxorc.agents.evidence import Evidence
from tmuxorc.agents.kinds import Kind
from tmuxorc.agents.prompts import answer_keys, prompt_gate
from tmuxorc.channels import Ability, PromptOver
from tmuxorc.delivery import Gate, condition
from tmuxorc.errors import ConflictError, RefusedError
from tmuxorc.model import AgentState, Choice, Clue, Prompt, Verdict, Why
from tmuxorc.tmux import PaneInfo

LONGEST_CLUE = 200

REACTION_S = 5.0
"""How long an agent may take to react to an answer before the same prompt may be answered again."""


class AgentDesk:
    """Answers for one incarnation of an agent."""

    def __init__(
        self, services: Services, address: str, kind: Kind, pane: PaneInfo, observer: Observer, contact: Contact | None
    ) -> None:
        self._services = services
        self._address = address
        self._kind = kind
        self._pane = pane
        self._observer = observer
        self._contact = contact
        self._answered: tuple[int, float] | None = None

    async def hook(self, event: str, payload: bytes) -> bytes:
        """A hook of the agent reports; without a channel nobody understands it."""
        return b"" if self._contact is None else await self._contact.hook(event, payload)

    # --- answers ---

    async def answer(self, choice: Choice) -> Prompt:
        """Answer the prompt that is open now, and report who did.

        Raises `RefusedError` if there is none, `PromptOver` if it is not the one meant or is over by now, and
        `ConflictError` (``no_such_option``) if it has no such option.
        """
        prompt = self._open_prompt(choice.expect)
        key = chosen(prompt, choice)
        with self._answering():
            if self._contact is not None and self._contact.can(Ability.PROMPTS) and prompt.source != "screen":
                await self._contact.answer(prompt.id, key)
            else:
                await self._by_keys(prompt, key)
        return prompt

    @contextmanager
    def _answering(self) -> Generator[None]:
        """One answer for each prompt: until the agent has reacted its screen still shows the one that is answered.

        The keys of a second answer would meet whatever comes next.
        """
        now, before = trio.current_time(), self._answered
        if before is not None and before[0] == self._observer.prompts and now < before[1] + REACTION_S:
            raise PromptOver(
                f"the prompt of {self._address} has been answered just now", hint=f"tmux-orc agent info {self._address}"
            )
        self._answered = (self._observer.prompts, now)
        try:
            yield
        except BaseException:
            self._answered = before
            raise

    def _open_prompt(self, expect: str) -> Prompt:
        prompt = self._observer.prompt
        if prompt is None:
            raise RefusedError(
                f"{self._address} asks nothing that can be answered here",
                hint=f"look at it with: tmux-orc screen {self._address}",
            )
        if expect and expect not in f"{prompt.question}\n{prompt.command}":
            asked = prompt.command or prompt.question
            raise PromptOver(
                f"{self._address} asks something else: {asked}", hint="look at it again, and answer what it asks now"
            )
        return prompt

    async def _by_keys(self, prompt: Prompt, key: str) -> None:
        """Press the option's keys, if tmux sees the very same prompt in the same breath."""
        screen = await self._observer.look()
        try:
            if screen is None:
                raise ValueError("it has no screen")
            gate = Gate(marker="", shows=prompt_gate(self._kind, screen, prompt))
            keys = answer_keys(self._kind, prompt, key)
        except ValueError as error:
            raise PromptOver(
                f"{self._address} no longer shows that prompt: {error}", hint=f"tmux-orc agent info {self._address}"
            ) from None
        if not await self._services.tmux.press(self._pane.pane_id, keys, gate=condition(gate, marked=False)):
            raise PromptOver(
                f"the prompt of {self._address} was over before it could be answered",
                hint=f"tmux-orc agent info {self._address}",
            )

    # --- interrupting ---

    async def interrupt(self) -> str:
        """End the running turn, by channel or by the kind's keys; the way that was taken.

        Raises `RefusedError` while the agent shows a prompt: the same keys would answer that.
        """
        if self._contact is not None and self._contact.can(Ability.INTERRUPT):
            await self._contact.interrupt()
            return self._contact.name
        state = self._observer.detector.state.state
        if not self._kind.interrupt or state is not AgentState.BUSY:
            raise RefusedError(
                f"{self._address} is {state.value}: there is no turn to interrupt",
                hint=f"see why with: tmux-orc why {self._address}",
            )
        await self._services.tmux.send_keys(self._pane.pane_id, self._kind.interrupt)
        return "keys"

    # --- why ---

    def why(self) -> Why:
        """The evidence: the rules that hold in their order, then everything else seen, newest first."""
        detector, row = self._observer.detector, self._services.roster.agent(self._address)
        now = trio.current_time()
        seen = sorted(detector.why, key=lambda evidence: -evidence.at)
        ages = {type(evidence).__name__: now - evidence.at for evidence in seen}
        rules = [
            Clue(
                source=match.source,
                seen=match.detail,
                age_s=max(0.0, ages.get(_EVIDENCE_OF.get(match.source, "ScreenSeen"), 0.0)),
                state=match.state,
                rule=match.rule,
                decides=match == detector.state,
            )
            for match in detector.matches()
        ]
        return Why(
            address=self._address,
            state=row.state,
            detail=row.detail,
            since=row.state_since,
            clues=(*rules, *(Clue(source=_name(e), seen=in_words(e), age_s=max(0.0, now - e.at)) for e in seen)),
            channel=self._channel(),
        )

    def _channel(self) -> str:
        contact = self._contact
        if contact is None:
            return ""
        return f"{contact.name}: {contact.doubt or 'up' if contact.up else contact.why_down}"


_EVIDENCE_OF = {"osc": "Osc", "title": "TitleSeen", "channel": "ChannelSaid", "hook": "HookSaid"}


def chosen(prompt: Prompt, choice: Choice) -> str:
    """The key of the option that `choice` means; raises `ConflictError`."""
    key = {Verdict.APPROVE: prompt.approve, Verdict.DENY: prompt.deny, Verdict.ANSWER: choice.key}[choice.verdict]
    if key and any(option.key == key for option in prompt.options):
        return key
    offered = ", ".join(f"{option.key} ({option.label})" for option in prompt.options) or "nothing to choose from"
    error = ConflictError(
        f"the prompt has no option to {choice.verdict.value}{f' {choice.key}' if choice.key else ''}",
        hint=f"it offers: {offered}; give one with: tmux-orc agent answer",
        details={"options": [option.key for option in prompt.options]},
    )
    error.code = "no_such_option"
    raise error


def _name(evidence: Evidence) -> str:
    """``ScreenSeen`` as ``screen``."""
    return type(evidence).__name__.removesuffix("Seen").removesuffix("Said").lower()


def in_words(evidence: Evidence) -> str:
    """What was seen, short."""
    fields = msgspec.structs.asdict(evidence)
    lines = fields.pop("lines", None)
    if lines is not None:
        last = next((line.strip() for line in reversed(lines) if line.strip()), "nothing")
        return f"cursor {fields['cursor']}, last line: {last}"[:LONGEST_CLUE]
    told = (f"{name} {value}" for name, value in fields.items() if name != "at" and value not in ("", None))
    return ", ".join(told)[:LONGEST_CLUE]
