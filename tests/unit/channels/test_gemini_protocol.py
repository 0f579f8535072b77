"""What Gemini CLI's hooks say, replayed as the real program said it."""

import json
from pathlib import Path

import msgspec
import pytest

from tmuxorc.agents.evidence import HookSaid
from tmuxorc.channels import Outgoing, Receipt, Said, SessionKnown
from tmuxorc.channels._gemini_protocol import NO_END_S, PROVED_S, GeminiTalk, Handed
from tmuxorc.model import Rung

RECORDED = Path(__file__).parent / "recorded" / "gemini" / "hooks-0.61.0.jsonl"


class Hook(msgspec.Struct):
    """A hook of the real program: what it was told, and what it answered then."""

    scene: str
    event: str
    payload: dict[str, object]
    answer: str

    @property
    def reason(self) -> str:
        """The text handed over."""
        return str(json.loads(self.answer)["reason"]) if self.answer else ""


def scene(name: str) -> list[Hook]:
    """The hooks of one scene, in their order."""
    hooks = (msgspec.json.decode(line, type=Hook) for line in RECORDED.read_bytes().splitlines())
    return [hook for hook in hooks if hook.scene == name]


def play(talk: GeminiTalk, hooks: list[Hook]) -> tuple[list[Said], list[str]]:
    """Give the hooks to `talk`: all that it says, and the texts that it hands over."""
    said: list[Said] = []
    texts: list[str] = []
    for at, hook in enumerate(hooks):
        more, answer = talk.hook(hook.event, json.dumps(hook.payload).encode(), float(at))
        said += more
        texts += [json.loads(answer)["reason"]] if answer else []
    return said, texts


def receipts(said: list[Said]) -> list[tuple[str, Rung]]:
    """How far messages came."""
    return [(each.message_id, each.rung) for each in said if isinstance(each, Receipt)]


def begun(hooks: list[Hook], *texts: str) -> GeminiTalk:
    """A talk in the turn that the first of `hooks` begins, with these texts kept for its end."""
    talk = GeminiTalk()
    play(talk, hooks[:1])
    for number, text in enumerate(texts):
        assert talk.keep(Outgoing(id=f"m-{number}", text=text))
    return talk


def test_three_messages_are_handed_over_one_after_another() -> None:
    """Each at the end of the turn of the one before, as the program asked then; the answer that grew proves each."""
    hooks = scene("three in a row")
    texts = [hook.reason for hook in hooks if hook.answer]
    assert len(texts) == 3
    talk = begun(hooks, *texts)
    said, handed = play(talk, hooks[1:])
    assert handed == texts
    assert receipts(said) == [(f"m-{number}", Rung.TAKEN_IN) for number in range(3)]
    assert not talk.turn


def test_what_is_handed_over_after_escape_is_lost_and_given_back() -> None:
    """The program takes it, says so, and never asks its model."""
    hooks = scene("escape")
    talk = begun(hooks, "[m-2] after escape", "another")
    said, handed = play(talk, hooks[1:])
    assert handed == ["[m-2] after escape"]
    assert receipts(said) == [("m-0", Rung.ACCEPTED), ("m-1", Rung.ACCEPTED)]
    assert not talk.turn


def test_a_turn_that_goes_on_proves_a_message() -> None:
    """Without waiting for its answer."""
    hooks = scene("escape")
    talk = begun(hooks, "[m-2] after escape")
    play(talk, hooks[1:3])
    assert talk.due == 1 + PROVED_S
    assert talk.tick(talk.due - 0.1) == []
    assert receipts(talk.tick(talk.due)) == [("m-0", Rung.TAKEN_IN)]
    assert talk.turn
    assert talk.due is None


def test_a_refused_prompt_ends_the_turn_without_a_hook() -> None:
    """What was kept is given back once the screen has been idle for a while."""
    hooks = scene("prompt")
    assert [hook.event for hook in hooks] == ["BeforeAgent", "Notification"]
    talk = begun(hooks, "one", "two")
    said, _ = play(talk, hooks[1:])
    assert [each.detail for each in said if isinstance(each, HookSaid)] == ["touch made"]
    talk.idle_seen(10.0)
    talk.busy_seen()
    assert talk.due is None
    talk.idle_seen(11.0)
    talk.idle_seen(12.0)
    assert talk.due == 11.0 + NO_END_S
    assert receipts(talk.tick(talk.due)) == [("m-0", Rung.ACCEPTED), ("m-1", Rung.ACCEPTED)]
    assert not talk.turn


def test_an_allowed_prompt_is_part_of_the_turn() -> None:
    """The message follows its end."""
    hooks = scene("approve")
    talk = begun(hooks, "[m-5] after approval")
    said, handed = play(talk, hooks[1:])
    assert handed == ["[m-5] after approval"]
    assert receipts(said) == [("m-0", Rung.TAKEN_IN)]


def test_nothing_is_kept_between_turns() -> None:
    """It would wait until somebody else begins one."""
    talk = GeminiTalk()
    assert not talk.keep(Outgoing(id="m-1", text="x"))
    assert not talk.has("m-1")


def test_a_message_is_kept_once() -> None:
    """However often it is brought."""
    talk = begun(scene("escape"), "one")
    assert talk.keep(Outgoing(id="m-0", text="one"))
    assert talk.has("m-0")
    assert receipts(talk.over("x")) == [("m-0", Rung.ACCEPTED)]


def test_a_typed_message_that_names_itself_is_taken_in() -> None:
    """BeforeAgent has the text that was typed."""
    talk = GeminiTalk()
    said, _ = talk.hook("BeforeAgent", b'{"prompt":"[m-7.2 from main/bob]\\nhello"}', 1.0)
    assert receipts(said) == [("m-7.2", Rung.TAKEN_IN)]


def test_another_prompt_in_between_is_not_taken_for_ours() -> None:
    """A hook's answer that never arrived: the message is given back."""
    talk = begun(scene("escape"), "one")
    talk.hook("AfterAgent", b'{"prompt_response":"a"}', 1.0)
    said, _ = talk.hook("BeforeAgent", b'{"prompt":"typed by a person"}', 2.0)
    assert receipts(said) == [("m-0", Rung.ACCEPTED)]


def test_the_session_is_told_once() -> None:
    """And again when it is another."""
    talk = GeminiTalk()
    for session, told in (("a", True), ("a", False), ("b", True)):
        said, _ = talk.hook("SessionStart", json.dumps({"session_id": session}).encode(), 1.0)
        assert (SessionKnown(session=session) in said) is told


@pytest.mark.parametrize("payload", [b"", b"\xff", b"[]", b'{"prompt": 3}', b'{"details": []}'])
def test_a_payload_that_is_none_tells_of_the_event_alone(payload: bytes) -> None:
    """And begins or ends the turn all the same."""
    talk = GeminiTalk()
    assert talk.hook("BeforeAgent", payload, 1.0) == ([HookSaid(at=1.0, event="BeforeAgent")], b"")
    assert talk.turn
    assert talk.hook("AfterAgent", payload, 2.0) == ([HookSaid(at=2.0, event="AfterAgent")], b"")
    assert not talk.turn


def test_a_handed_over_message_is_found_in_the_record() -> None:
    """As a prompt, not as part of the warning that shows it."""
    handed = Handed(id="m-1", text='a "quoted"\ttext é', transcript="")
    assert handed.stands_in('{"type":"user","content":[{"text":"a \\"quoted\\"\\ttext é"}]}'.encode())
    assert not handed.stands_in('{"content":"Agent execution blocked: a \\"quoted\\"\\ttext é"}'.encode())
