"""What qwen 0.24.4 wrote, replayed: states, prompts, receipts; and what is written to it."""

import json
from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmuxorc.agents.evidence import ChannelSaid, PromptSeen
from tmuxorc.channels import PromptOver, Receipt, Said, SessionKnown
from tmuxorc.channels._qwen_lines import (
    Handed,
    is_message,
    question,
    record_of,
    response,
    submission,
    submissions,
)
from tmuxorc.channels._qwen_protocol import QwenTalk
from tmuxorc.model import Prompt

RECORDED = Path(__file__).parent / "recorded" / "qwen"
TEXTS = {
    "m-1": "hello",
    "m-2": "SLOW 5",
    "m-3": "[m-3 from main/bob]\nsecond",
    "m-4": "third ",
    "m-5": "TOOL date",
    "m-6": "meanwhile",
    "m-8": "afterwards",
    "m-11": "[m-11 from main/bob]\nlook at @README.md x@y",
}


def read(name: str) -> list[bytes]:
    """The lines of one recording."""
    return (RECORDED / name).read_bytes().splitlines()


def started() -> QwenTalk:
    """A talk that has heard the start."""
    talk = QwenTalk()
    assert talk.take(read("start.jsonl")[0], 0) == []
    return talk


def replay(name: str, *handed: str) -> list[Said]:
    """What is said in one recording when these messages were handed over before."""
    talk = started()
    for message_id in handed:
        talk.hand_over(Handed(id=message_id, text=TEXTS[message_id]))
    said = [found for line in read(f"{name}.jsonl") for found in talk.take(line, 0)]
    return said + [found for line in read("record.jsonl") for found in talk.take_recorded(line)]


def receipts(said: list[Said]) -> dict[str, str]:
    """Which messages the model was given, and how that is known."""
    return {one.message_id: one.evidence for one in said if isinstance(one, Receipt)}


def prompts(said: list[Said]) -> list[Prompt | None]:
    """Prompts as they came and went."""
    return [one.prompt for one in said if isinstance(one, PromptSeen)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("turn", "busy answered"),
        ("steered", "busy answered"),
        ("approved", "busy permission busy answered"),
        ("denied", "busy permission busy answered"),
        ("escaped", "busy permission answered"),
        ("interrupted", "busy answered"),
    ],
)
def test_words(name: str, expected: str) -> None:
    """An Escape is not told, only that an answer came too late: the title and the screen must say the rest."""
    words = [one.said for one in replay(name) if isinstance(one, ChannelSaid)]
    assert [word for word, _ in groupby(words)] == expected.split()


def test_how_it_started() -> None:
    """Version and directory at once; the session's name once it has something to go on with."""
    talk = started()
    assert (talk.version, talk.cwd) == ("0.24.4", "/home/me/project")
    said = talk.take(read("turn.jsonl")[0], 0)
    assert SessionKnown(session=talk.session) in said
    assert talk.session in repr(talk)
    again = QwenTalk(talk.session)
    assert again.take(read("start.jsonl")[0], 0) == [SessionKnown(session=talk.session)]


@pytest.mark.parametrize(
    ("name", "handed", "by_record"),
    [
        ("turn", ["m-1"], []),
        ("steered", ["m-2", "m-3", "m-4"], ["m-3", "m-4"]),
        ("approved", ["m-5", "m-6"], ["m-6"]),
        ("denied", ["m-8"], []),
        ("referenced", ["m-11"], []),
    ],
)
def test_receipts(name: str, handed: list[str], by_record: list[str]) -> None:
    """What goes into a running turn is in the record only; a file's content behind an ``@`` is seen through."""
    said = receipts(replay(name, *handed))
    assert list(said) == handed
    assert [one for one, evidence in said.items() if "record" in evidence] == by_record


def test_another_text_is_no_receipt() -> None:
    """Nor one that only holds ours somewhere."""
    talk = started()
    for message_id, text in (("m-20", "hell"), ("m-21", "ello"), ("m-22", "hello hello")):
        talk.hand_over(Handed(id=message_id, text=text))
    assert receipts([found for line in read("turn.jsonl") for found in talk.take(line, 0)]) == {}
    assert not talk.was_taken("m-20")
    assert talk.was_handed("m-20")


def user(text: str) -> bytes:
    """A user's message as qwen writes it."""
    block = {"type": "text", "text": text}
    return json.dumps({"type": "user", "session_id": "s", "message": {"role": "user", "content": [block]}}).encode()


def test_merged_messages_are_told_apart() -> None:
    """In their order, each whole; the same text twice is two messages."""
    talk = started()
    for message_id, text in (("m-1", "yes"), ("m-2", "two\n\nparts "), ("m-3", "yes"), ("m-4", "no")):
        talk.hand_over(Handed(id=message_id, text=text))
    assert list(receipts(talk.take(user("yes\n\ntwo\n\nparts\n\n\n\nyes"), 0))) == ["m-1", "m-2", "m-3"]


def test_an_older_text_in_the_record_is_no_receipt() -> None:
    """A session that is gone on with may hold the same words."""
    talk = started()
    talk.hand_over(Handed(id="m-6", text="meanwhile", at_ms=1 << 50))
    assert not [found for line in read("record.jsonl") for found in talk.take_recorded(line)]


def test_what_was_before_counts_as_it_stands() -> None:
    """A later supervisor hears the end of it: one state, one prompt."""
    talk = QwenTalk()
    lines = [*read("turn.jsonl"), *read("escaped.jsonl")[:-1]]
    assert all(isinstance(said, SessionKnown) for line in lines for said in talk.recall(line))
    seen, word = talk.stands(1.0)
    assert isinstance(seen, PromptSeen)
    assert isinstance(word, ChannelSaid)
    assert word.said == "permission"
    assert QwenTalk().stands(1.0) == []


def test_a_permission() -> None:
    """Its command and its two answers; over with its result, with a denial, with the next request."""
    for name in ("approved", "denied"):
        prompt, end = prompts(replay(name))
        assert end is None
        assert prompt is not None
        assert (prompt.question, prompt.command) == ("Allow run_shell_command?", "date")
        assert (prompt.approve, prompt.deny, prompt.source) == ("allow", "deny", "qwen")
        assert [option.key for option in prompt.options] == ["allow", "deny"]


def asked(name: str, tool: str, **given: object) -> bytes:
    """A control request as qwen writes it."""
    request = {"subtype": "can_use_tool", "tool_name": tool, "tool_use_id": f"call_{name}", "input": given}
    return json.dumps({"type": "control_request", "request_id": name, "request": request}).encode()


def test_two_prompts() -> None:
    """The older one first; whatever is asked for is shown."""
    talk = started()
    said = talk.take(asked("r-1", "edit", file_path="/a"), 0) + talk.take(asked("r-2", "web_fetch", url="http://x"), 0)
    (first,) = prompts(said)
    assert first is not None
    assert first.command == "/a"
    content = [{"type": "tool_result", "tool_use_id": "call_r-1", "content": ""}]
    (second,) = prompts(talk.take(json.dumps({"type": "user", "message": {"content": content}}).encode(), 0))
    assert second is not None
    assert second.command == '{"url":"http://x"}'
    end, word = talk.forget("r-2", 0)
    assert prompts([end]) == [None]
    assert isinstance(word, ChannelSaid)
    assert word.said == "answered"
    assert talk.forget("r-2", 0) == []


def test_a_refused_answer_is_remembered() -> None:
    """It came too late."""
    talk = started()
    for line in read("escaped.jsonl"):
        talk.take(line, 0)
    assert len(talk.refused) == 1
    assert not talk.prompts


def test_what_a_subagent_does_says_nothing_of_the_turn() -> None:
    """Its requests close no prompt, its answers end nothing."""
    talk = started()
    talk.take(read("turn.jsonl")[0], 0)
    talk.take(asked("r-1", "edit"), 0)
    start = {"type": "stream_event", "parent_tool_use_id": "call_9", "event": {"type": "message_start"}}
    answer = {"type": "assistant", "parent_tool_use_id": "call_9", "message": {"content": [{"type": "text"}]}}
    assert [talk.take(json.dumps(line).encode(), 0) for line in (start, answer)] == [[], []]
    assert list(talk.prompts) == ["r-1"]


def test_the_end_of_a_session() -> None:
    """It says so itself."""
    talk = started()
    talk.take(b'{"type":"system","subtype":"session_end","data":{"session_id":"x"}}', 0)
    assert talk.ended


def test_what_is_written() -> None:
    """One line each; what we wrote is read again; a question is an answer that nobody waits for."""
    message = Handed(id="m-1", text='a\n"b" \\ \u2028 Ω', at_ms=5)
    line = submission(message)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert json.loads(line) == {"type": "submit", "text": message.text, "id": "m-1", "at_ms": 5}
    assert submissions([line, question("q-1"), b"garbage", b'{"type":"submit","text":"another program\'s"}']) == [
        message
    ]
    assert json.loads(response("r-1", "allow")) == {
        "type": "confirmation_response",
        "request_id": "r-1",
        "allowed": True,
    }
    with pytest.raises(PromptOver):
        response("r-1", "always")


def test_where_the_record_is() -> None:
    """As qwen names it; a framed message is found there."""
    assert record_of("/home/me", "/home/me/a_b.c", "s-1") == "/home/me/.qwen/projects/-home-me-a-b-c/chats/s-1.jsonl"
    lines = read("record.jsonl")
    assert [name for name in ("m-3", "m-4", "m-33") if any(is_message(line, name) for line in lines)] == ["m-3"]


@given(st.binary(max_size=200), st.text(max_size=50))
def test_any_line_is_survived(data: bytes, text: str) -> None:
    """What is not understood says nothing."""
    talk = started()
    talk.hand_over(Handed(id="m-1", text=text))
    talk.take(data, 0)
    talk.take(user(text + "x"), 0)
    talk.take_recorded(b'"user"' + data)
    submissions([data])
