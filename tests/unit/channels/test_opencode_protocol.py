"""What opencode 1.18.33 said, replayed: states, prompts, receipts, sessions."""

from itertools import groupby
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmuxorc.agents.evidence import ChannelSaid, PromptSeen
from tmuxorc.channels import PromptOver, Receipt, Said, SessionKnown
from tmuxorc.channels._opencode_messages import Message, ours_of
from tmuxorc.channels._opencode_protocol import Listed, OpencodeTalk, Status
from tmuxorc.channels._sse import LONGEST, SseDecoder
from tmuxorc.model import Prompt, Rung

RECORDED = Path(__file__).parent / "recorded" / "opencode"
SESSION = "ses_df1c977c6ffebesB6gfWTI6GOK"


def read(name: str) -> list[bytes]:
    """The events of one recording."""
    return SseDecoder().feed((RECORDED / name).read_bytes())


def replay(name: str, session: str = SESSION) -> list[Said]:
    """What is said during one recording."""
    talk = OpencodeTalk(session)
    return [said for number, data in enumerate(read(name)) for said in talk.take(data, float(number))]


def words(said: list[Said]) -> list[str]:
    """The states in order."""
    return [one.said for one in said if isinstance(one, ChannelSaid)]


def receipts(said: list[Said]) -> list[tuple[str, Rung]]:
    """What was said of messages."""
    return [(one.message_id, one.rung) for one in said if isinstance(one, Receipt)]


def prompts(said: list[Said]) -> list[Prompt | None]:
    """Prompts as they came and went."""
    return [one.prompt for one in said if isinstance(one, PromptSeen)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("turn", "idle busy idle"),
        ("queued", "idle busy idle"),
        ("approved", "idle busy permission busy idle"),
        ("rejected", "idle busy permission busy idle"),
        ("interrupted", "idle busy idle"),
        ("escaped", "idle busy permission busy idle"),
        ("retry", "idle busy retry busy idle"),
        ("question", "idle busy question busy idle"),
    ],
)
def test_states(name: str, expected: str) -> None:
    """Also where the person pressed Escape."""
    assert [word for word, _ in groupby(words(replay(f"{name}.sse")))] == expected.split()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("turn", [("m-1", Rung.TAKEN_IN)]),
        ("queued", [("m-2", Rung.TAKEN_IN), ("m-3", Rung.TAKEN_IN), ("m-4", Rung.TAKEN_IN)]),
        ("approved", [("m-5", Rung.TAKEN_IN), ("m-6", Rung.TAKEN_IN)]),
        ("rejected", [("m-7", Rung.TAKEN_IN), ("m-8", Rung.ACCEPTED)]),
        ("interrupted", [("m-8", Rung.TAKEN_IN), ("m-9", Rung.TAKEN_IN)]),
    ],
)
def test_receipts(name: str, expected: list[tuple[str, Rung]]) -> None:
    """Two messages that waited go out together; one behind a denied permission is left behind, and said to be."""
    talk = OpencodeTalk(SESSION)
    before = ["rejected.sse"] if name == "interrupted" else []
    for data in (data for earlier in before for data in read(earlier)):
        talk.take(data, 0)
    assert receipts([said for data in read(f"{name}.sse") for said in talk.take(data, 0)]) == expected


def test_a_permission() -> None:
    """Its command, its options by opencode's names, and its end."""
    prompt, end = prompts(replay("approved.sse"))
    assert end is None
    assert prompt is not None
    assert (prompt.command, prompt.question, prompt.source) == ("date", "Permission required: bash", "opencode")
    assert [(option.key, option.label) for option in prompt.options] == [
        ("once", "Allow once"),
        ("always", "Allow always"),
        ("reject", "Reject"),
    ]
    assert (prompt.approve, prompt.deny) == ("once", "reject")


def test_a_question() -> None:
    """Its options are numbered, as on the screen; the answer names the label."""
    talk = OpencodeTalk(SESSION)
    for data in read("question.sse"):
        talk.take(data, 0)
        if talk.prompts:
            break
    (asked,) = talk.prompts.values()
    assert asked.prompt.question == "Which colour?"
    assert [option.label for option in asked.prompt.options] == ["Red", "Blue", "Dismiss"]
    path, body = asked.answer("2")
    assert path == f"/question/{asked.prompt.id}/reply"
    assert msgspec.json.decode(body) == {"answers": [["Blue"]]}
    assert asked.answer("reject") == (f"/question/{asked.prompt.id}/reject", b"{}")
    with pytest.raises(PromptOver):
        asked.answer("9")


def test_several_questions_at_once_can_only_be_dismissed() -> None:
    """One key is no answer to two questions."""
    talk = OpencodeTalk(SESSION)
    options = [{"label": "A"}]
    questions = [{"question": "one?", "options": options}, {"question": "two?", "options": options}]
    talk.take(event("question.asked", {"id": "que_1", "sessionID": SESSION, "questions": questions}), 0)
    (asked,) = talk.prompts.values()
    assert asked.prompt.question == "one? / two?"
    assert [option.key for option in asked.prompt.options] == ["reject"]


def test_prompts_are_answered_one_by_one() -> None:
    """The oldest shows; with it gone the next one does."""
    talk = OpencodeTalk(SESSION)
    for name in ("per_1", "per_2"):
        asked = {"id": name, "sessionID": "ses_child", "permission": "edit", "metadata": {"filepath": name}}
        talk.take(event("permission.asked", asked), 0)
    said = talk.take(event("permission.replied", {"sessionID": "ses_child", "requestID": "per_1", "reply": "once"}), 0)
    (prompt,) = prompts(said)
    assert prompt is not None
    assert prompt.command == "per_2"
    assert prompts(talk.forget("per_2", 0)) == [None]


def test_a_retry_says_until_when() -> None:
    """And why."""
    said = [one for one in replay("retry.sse") if isinstance(one, ChannelSaid) and one.said == "retry"]
    assert [one.detail[0:6] + one.detail[18:] for one in said] == ["until , attempt 1: scripted failure 429"]


def test_an_interrupted_turn_is_told_from_a_finished_one() -> None:
    """By the words beside `idle`."""
    details = {name: replay(f"{name}.sse") for name in ("interrupted", "turn")}
    last = {name: [one for one in said if isinstance(one, ChannelSaid)][-1].detail for name, said in details.items()}
    assert last == {"interrupted": "the last turn was interrupted", "turn": ""}


def test_a_tool_that_runs_is_named() -> None:
    """Beside `busy`."""
    said = [one for one in replay("approved.sse") if isinstance(one, ChannelSaid)]
    assert "bash: date" in [one.detail for one in said if one.said == "busy"]


def test_a_person_takes_us_along_to_a_new_session() -> None:
    """Messages go where they are; what they chose there is kept."""
    talk = OpencodeTalk(SESSION)
    said = [found for data in read("new.sse") for found in talk.take(data, 0)]
    (known,) = [one for one in said if isinstance(one, SessionKnown)]
    assert talk.session == known.session != SESSION
    body = msgspec.json.decode(talk.prompt("m-1", "hello", 1795534031518))
    assert (body["agent"], body["model"]) == ("build", {"providerID": "scripted", "modelID": "scripted"})


def test_a_session_of_a_subagent_is_not_followed() -> None:
    """Its user is the model."""
    talk = OpencodeTalk(SESSION)
    child = {"id": "ses_child", "parentID": SESSION}
    talk.take(event("session.created", {"sessionID": "ses_child", "info": child}), 0)
    info = {"id": "msg_ff0000000000xx", "role": "user", "sessionID": "ses_child"}
    talk.take(event("message.updated", {"sessionID": "ses_child", "info": info}), 0)
    assert talk.session == SESSION


def test_a_session_that_was_deleted_is_given_up() -> None:
    """The next message needs a new one."""
    talk = OpencodeTalk(SESSION)
    talk.take(event("session.deleted", {"sessionID": SESSION, "info": {"id": SESSION}}), 0)
    assert talk.session == ""


def test_ids_are_in_order_and_end_with_ours() -> None:
    """Also two of one millisecond, also when the clock goes back."""
    talk = OpencodeTalk(SESSION)
    ids = [msgspec.json.decode(talk.prompt(f"m-{n}", "x", now))["messageID"] for n, now in enumerate((5, 5, 3))]
    assert ids == ["msg_000000005000_m-0", "msg_000000006000_m-1", "msg_000000007000_m-2"]
    assert [ours_of(their) for their in (*ids, "msg_20e2c27e2001dL3m1fJsIZAs8o")] == ["m-0", "m-1", "m-2", ""]


def test_catching_up_settles_what_was_missed() -> None:
    """A list of messages, statuses and prompts says the same as the events would have."""
    talk = OpencodeTalk(SESSION)
    messages = [one.info for one in msgspec.json.decode((RECORDED / "messages.json").read_bytes(), type=list[Listed])]
    said = talk.catch_up(1.0, {SESSION: Status(type="busy")}, (), messages)
    assert words(said) == ["busy"]
    assert ("m-12", Rung.TAKEN_IN) in receipts(said)
    assert talk.messages.was_taken("m-12")


def test_an_old_message_found_later_was_taken_in() -> None:
    """The session has gone on from it."""
    talk = OpencodeTalk(SESSION)
    answer = Message(id="msg_000000000009aa", session=SESSION, role="assistant", parent="msg_000000000008_m-8")
    talk.look([answer], 0)
    found = Message(id="msg_000000000005_m-5", session=SESSION, role="user")
    assert receipts(talk.look([found], 0)) == [("m-5", Rung.TAKEN_IN)]


def test_much_is_forgotten_in_time() -> None:
    """A thousand messages are remembered."""
    talk = OpencodeTalk(SESSION)
    for number in range(1100):
        their = f"msg_{number:012x}_m-{number}"
        user = Message(id=their, session=SESSION, role="user")
        talk.look([user, Message(id="msg_a", session=SESSION, role="assistant", parent=their)], 0)
    assert talk.messages.was_taken("m-1099")
    assert not talk.messages.was_taken("m-1")


@given(st.binary(max_size=200))
def test_any_event_is_survived(data: bytes) -> None:
    """What is not understood says nothing."""
    OpencodeTalk().take(data, 0)


@pytest.mark.parametrize("kind", ["session.status", "message.updated", "permission.asked", "question.asked"])
def test_an_event_of_another_shape_says_nothing(kind: str) -> None:
    """A newer opencode may say more or less."""
    assert OpencodeTalk(SESSION).take(event(kind, {"sessionID": 7, "new": True}), 0) == []


@given(st.integers(1, 50))
def test_the_stream_may_be_cut_anywhere(size: int) -> None:
    """The same events come out."""
    raw = (RECORDED / "turn.sse").read_bytes()
    decoder = SseDecoder()
    cut = [event for at in range(0, len(raw), size) for event in decoder.feed(raw[at : at + size])]
    assert cut == read("turn.sse")


def test_events_as_the_standard_has_them() -> None:
    """Comments, other fields, several lines of data, CR LF."""
    decoder = SseDecoder()
    assert decoder.feed(b": hello\r\nevent: x\r\ndata: a\r\ndata:b\r\n\r\n\n\ndata\n\n") == [b"a\nb"]


def test_a_line_without_end_is_dropped() -> None:
    """It does not fill the memory, and what follows is heard."""
    decoder = SseDecoder()
    for _ in range(LONGEST // (1 << 20) + 2):
        decoder.feed(b"x" * (1 << 20))
    assert decoder.feed(b"y\n\ndata: a\n\n") == [b"a"]


def event(kind: str, properties: object) -> bytes:
    """An event as opencode writes it."""
    return msgspec.json.encode({"id": "evt_1", "type": kind, "properties": properties})
