"""Claude Code's hooks and inbox lines, against what version 2.1.331 said."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmuxorc.agents.evidence import HookSaid, PromptSeen
from tmuxorc.channels import Outgoing, PromptOver, Receipt, Said, SessionKnown
from tmuxorc.channels._claude_protocol import PEER, ClaudeProtocol, Inbox, inbox_lines, read_inbox, was_given
from tmuxorc.model import Prompt, PromptOption, Rung

RECORDED = Path(__file__).parent / "recorded" / "claude"
GIVEN = "UserPromptSubmit: the model was given it"
SESSION = "96d2b6d4-ec1f-41f1-97d0-65d41626e733"


def recorded(name: str) -> bytes:
    """What a real hook was given."""
    return (RECORDED / f"{name}.json").read_bytes()


def said(protocol: ClaudeProtocol, name: str) -> list[Said]:
    """What the protocol makes of a recorded report; the session's name aside."""
    event = name.partition("-")[0]
    found = protocol.hook(event, recorded(name), 1.0)
    return [each for each in found if not isinstance(each, SessionKnown)]


def submitted(text: str) -> bytes:
    """The payload of the hook that runs when the model is given `text`."""
    return msgspec.json.encode({"session_id": "s", "prompt": text})


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("one line", "one line"),
        ("a\ttab", "a    tab"),
        ("a \U0001f469\u200d\U0001f467 family", "a \U0001f469\U0001f467 family"),
        ("one\ntwo", '\n\n<pasted_content id="fc3d">\none\ntwo\n</pasted_content id="fc3d">\n'),
        ("<pasted_content id=1>", "<\\pasted_content id=1>"),
    ],
)
def test_what_the_composer_makes_of_a_text_is_still_its_receipt(typed: str, told: str) -> None:
    protocol = ClaudeProtocol()
    protocol.hand_over(Outgoing(id="m-7", text=typed))
    found = [each for each in protocol.hook("UserPromptSubmit", submitted(told), 1.0) if isinstance(each, Receipt)]
    assert found == [Receipt(message_id="m-7", rung=Rung.TAKEN_IN, evidence=GIVEN)]


# --- hooks ---


@pytest.mark.parametrize(
    ("name", "event", "detail"),
    [
        ("SessionStart-startup", "SessionStart", "startup"),
        ("SessionStart-resume", "SessionStart", "resume"),
        ("SessionStart-compact", "SessionStart", "compact"),
        ("UserPromptSubmit-typed", "UserPromptSubmit", ""),
        ("Notification-permission_prompt", "Notification permission_prompt", "Claude needs your permission"),
        ("PermissionRequest-Bash", "PermissionRequest", "touch /home/me/proof"),
        ("PermissionRequest-Write", "PermissionRequest", "/home/me/work/new.txt"),
        ("Stop", "Stop", ""),
        ("StopFailure-rate_limit", "StopFailure", "rate_limit"),
        ("StopFailure-server_error", "StopFailure", "server_error"),
        ("SessionEnd-prompt_input_exit", "SessionEnd", "prompt_input_exit"),
    ],
)
def test_hooks_are_words(name: str, event: str, detail: str) -> None:
    """In the agent's own names."""
    assert said(ClaudeProtocol(), name) == [HookSaid(at=1.0, event=event, detail=detail)]


def sessions(protocol: ClaudeProtocol, event: str, payload: bytes) -> list[str]:
    """The sessions that a hook makes known."""
    found = protocol.hook(event, payload, 1.0)
    return [each.session for each in found if isinstance(each, SessionKnown)]


def test_a_session_is_known_once_something_was_said_in_it() -> None:
    """Before that the program could not go on with it; a person may begin another one at any time."""
    protocol = ClaudeProtocol()
    start, prompt = recorded("SessionStart-startup"), recorded("UserPromptSubmit-typed")
    assert not protocol.known
    assert sessions(protocol, "SessionStart", start) == []
    assert protocol.known
    assert protocol.transcript.endswith("/8eee4e88-de1c-4a97-b286-f2f219a8ef75.jsonl")
    assert sessions(protocol, "UserPromptSubmit", prompt) == ["8eee4e88-de1c-4a97-b286-f2f219a8ef75"]
    assert sessions(protocol, "UserPromptSubmit", prompt) == []
    cleared = start.replace(b"8eee4e88", b"ffffffff").replace(b"startup", b"clear")
    assert sessions(protocol, "SessionStart", cleared) == []
    assert sessions(protocol, "Stop", prompt) == []
    again = prompt.replace(b"8eee4e88", b"ffffffff")
    assert sessions(protocol, "UserPromptSubmit", again) == ["ffffffff-de1c-4a97-b286-f2f219a8ef75"]


def test_a_session_that_is_gone_on_with_is_known_at_once() -> None:
    """It has a record."""
    assert sessions(ClaudeProtocol(), "SessionStart", recorded("SessionStart-resume")) != []


def test_sessions_that_this_one_has_started_are_not_taken_for_it() -> None:
    """They report by the same hooks."""
    protocol = ClaudeProtocol()
    sessions(protocol, "SessionStart", recorded("SessionStart-startup"))
    assert sessions(protocol, "UserPromptSubmit", submitted("x")) == []
    assert protocol.transcript.endswith("/8eee4e88-de1c-4a97-b286-f2f219a8ef75.jsonl")


@pytest.mark.parametrize("payload", [b"", b"[]", b"{", b'{"session_id":5}', b"\xff", b'{"tool_input":[]}', b"null"])
def test_garbage_is_a_word_and_no_more(payload: bytes) -> None:
    """Whatever a version may send."""
    assert list(ClaudeProtocol().hook("Stop", payload, 1.0)) == [HookSaid(at=1.0, event="Stop")]


# --- receipts ---


def test_the_receipt_is_the_bare_text() -> None:
    """As the hook reports it: a message of another agent is not wrapped there."""
    protocol = ClaudeProtocol()
    text = "[m-2 from main/bob]\n  lead and trail  "
    protocol.hand_over(Outgoing(id="m-2", text=text))
    assert protocol.was_handed("m-2")
    assert said(protocol, "UserPromptSubmit-peer")[1] == Receipt(message_id="m-2", rung=Rung.TAKEN_IN, evidence=GIVEN)
    assert not protocol.was_handed("m-2")


def test_characters_that_no_terminal_shows_come_through() -> None:
    """Bidirectional ones here."""
    protocol = ClaudeProtocol()
    protocol.hand_over(Outgoing(id="m-7", text="[m-7 from main/bob]\nbidi \u202etest\u202c"))
    assert Receipt in {type(each) for each in said(protocol, "UserPromptSubmit-awkward")}


def test_what_a_person_types_is_no_receipt() -> None:
    """Nor what only begins like a message that waits for one."""
    protocol = ClaudeProtocol()
    protocol.hand_over(Outgoing(id="m-1", text="[m-1 from main/bob]\nhello"))
    assert len(said(protocol, "UserPromptSubmit-typed")) == 1
    other = list(protocol.hook("UserPromptSubmit", submitted("[m-1 from main/bob]\nsomething else"), 1.0))
    assert Receipt not in {type(each) for each in other}
    assert protocol.was_handed("m-1")


@pytest.mark.parametrize(("expected", "receipt"), [("m-2", "m-2"), ("m-2.3", "m-2.3"), ("m-9", "m-2")])
def test_a_message_handed_over_by_an_earlier_life_is_known_by_its_frame(expected: str, receipt: str) -> None:
    """With the number of the attempt that is waited for."""
    protocol = ClaudeProtocol()
    protocol.expect(expected)
    found = said(protocol, "UserPromptSubmit-peer")[1]
    assert isinstance(found, Receipt)
    assert found.message_id == receipt


def test_a_message_that_was_not_written_waits_for_nothing() -> None:
    """It may be handed over again."""
    protocol = ClaudeProtocol()
    protocol.hand_over(Outgoing(id="m-1", text="x"))
    protocol.not_handed("m-1")
    assert not protocol.was_handed("m-1")


# --- prompts ---


def asked(name: str) -> tuple[ClaudeProtocol, Prompt]:
    """The prompt of a recorded request."""
    protocol = ClaudeProtocol()
    prompt_id, seen = protocol.ask(recorded(f"PermissionRequest-{name}"), 1.0)
    assert seen.prompt is not None
    assert seen.prompt.id == prompt_id
    return protocol, seen.prompt


def decision(protocol: ClaudeProtocol, prompt: Prompt, key: str) -> dict[str, object]:
    """What the hook would print for an option."""
    printed = msgspec.json.decode(protocol.choose(prompt.id, key), type=dict[str, dict[str, object]])
    output = printed["hookSpecificOutput"]
    assert output["hookEventName"] == "PermissionRequest"
    found = output["decision"]
    assert isinstance(found, dict)
    return found


def test_a_permission() -> None:
    """What would run, and the options: once, for ever in the ways that the program suggests, not at all."""
    protocol, prompt = asked("Bash")
    assert prompt == Prompt(
        id=prompt.id,
        source="hook",
        question="Allow Bash?",
        command="touch /home/me/proof",
        options=(
            PromptOption(key="yes", label="Yes"),
            PromptOption(key="always", label="Yes, and allow /home/me for this session"),
            PromptOption(key="always2", label="Yes, and change to mode acceptEdits for this session"),
            PromptOption(key="no", label="No"),
        ),
        approve="yes",
        deny="no",
    )
    assert decision(protocol, prompt, "yes") == {"behavior": "allow"}
    assert decision(protocol, prompt, "no") == {"behavior": "deny", "message": "Refused by a person."}
    suggestion = {"type": "addDirectories", "directories": ["/home/me"], "destination": "session"}
    assert decision(protocol, prompt, "always") == {"behavior": "allow", "updatedPermissions": [suggestion]}


@pytest.mark.parametrize(
    ("name", "command", "always"),
    [
        ("Write", "/home/me/work/new.txt", "Yes, and change to mode acceptEdits for this session"),
        ("WebFetch", "http://127.0.0.1:9/x", "Yes, and allow WebFetch(domain:127.0.0.1) from now on"),
        (
            "Bash-rules",
            "ls /etc/passwd; rm -f /tmp/nothing1",
            "Yes, and allow Read(//etc/**), Bash(rm -f /tmp/nothing1) from now on",
        ),
    ],
)
def test_other_permissions(name: str, command: str, always: str) -> None:
    """The one field that says what it is about."""
    _, prompt = asked(name)
    assert (prompt.command, prompt.options[1].label) == (command, always)


def test_a_plan() -> None:
    """Leaving the mode for plans is a permission too."""
    _, prompt = asked("ExitPlanMode")
    assert (prompt.question, prompt.approve, prompt.deny) == ("Allow ExitPlanMode?", "yes", "no")


def test_a_question() -> None:
    """Its options are the answers; there is none that means yes."""
    protocol, prompt = asked("AskUserQuestion")
    assert (prompt.question, prompt.command, prompt.approve, prompt.deny) == ("Which colour?", "", "", "no")
    assert [(option.key, option.label) for option in prompt.options] == [("1", "Red"), ("2", "Blue"), ("no", "No")]
    found = decision(protocol, prompt, "2")
    assert found["behavior"] == "allow"
    assert msgspec.to_builtins(found["updatedInput"])["answers"] == {"Which colour?": "Blue"}


def test_several_questions_are_left_to_the_pane() -> None:
    """They can only be turned down here: to allow them without answers would be wrong."""
    _, prompt = asked("AskUserQuestion-two")
    assert prompt.question == "Which ones? And?"
    assert ([option.key for option in prompt.options], prompt.approve, prompt.deny) == (["no"], "", "no")


def test_the_oldest_prompt_is_the_one_that_shows() -> None:
    """The next one shows when it is over; each has a name of its own."""
    protocol = ClaudeProtocol()
    payload = recorded("PermissionRequest-Bash")
    first, _ = protocol.ask(payload, 1.0)
    second, seen = protocol.ask(payload, 2.0)
    assert first != second
    assert seen.prompt is not None
    assert seen.prompt.id == first
    after = protocol.over(first, 3.0).prompt
    assert after is not None
    assert after.id == second
    assert protocol.over(second, 4.0) == PromptSeen(at=4.0, prompt=None)


def test_a_sub_agent_asks_on_when_the_turn_has_ended() -> None:
    """It says for whom it asks; the end of the session ends all."""
    protocol = ClaudeProtocol()
    mine, _ = protocol.ask(recorded("PermissionRequest-Bash"), 1.0)
    theirs, _ = protocol.ask(recorded("PermissionRequest-Bash-subagent"), 1.0)
    assert protocol.ended_by("Notification") == ()
    assert protocol.ended_by("Stop") == (mine,)
    assert protocol.ended_by("SessionEnd") == (mine, theirs)
    seen = protocol.over(mine, 2.0).prompt
    assert seen is not None
    assert seen.question == "Allow Bash for the general-purpose agent?"


def test_a_prompt_that_is_over_takes_no_answer() -> None:
    """Nor an open one an option that it does not have."""
    protocol, prompt = asked("Bash")
    with pytest.raises(PromptOver):
        protocol.choose(prompt.id, "2")
    protocol.over(prompt.id, 2.0)
    with pytest.raises(PromptOver):
        protocol.choose(prompt.id, "yes")


@pytest.mark.parametrize(
    "suggestion",
    [{}, {"type": "addRules", "rules": [5, {"toolName": "X"}]}, {"type": "setMode"}, {"type": "new", "x": [1]}],
)
def test_suggestions_of_other_versions_are_shown_as_they_are(suggestion: dict[str, object]) -> None:
    """And can be taken."""
    payload = msgspec.json.encode({"tool_name": "X", "tool_input": {"a": 1}, "permission_suggestions": [suggestion]})
    protocol = ClaudeProtocol()
    _, seen = protocol.ask(payload, 1.0)
    assert seen.prompt is not None
    assert seen.prompt.command == '{"a":1}'
    assert decision(protocol, seen.prompt, "always")["updatedPermissions"] == [suggestion]


@given(st.binary(max_size=100))
def test_any_prompt_can_be_refused(payload: bytes) -> None:
    """Even one that cannot be read."""
    protocol = ClaudeProtocol()
    prompt_id, _ = protocol.ask(payload, 1.0)
    assert b'"deny"' in protocol.choose(prompt_id, "no")


# --- the inbox ---


def test_what_the_first_hook_wrote() -> None:
    """Path, token, process."""
    assert read_inbox("/tmp/cc-socks/17.sock\nsecret\n17\n") == Inbox(
        path="/tmp/cc-socks/17.sock", token="secret", pid=17
    )


@pytest.mark.parametrize("text", ["", "\n\n\n", "/tmp/x.sock\n", "/tmp/x.sock\nt\nx\n", "x\nt\n17\n"])
def test_half_of_that_is_nothing(text: str) -> None:
    """It is being written, or the program has no inbox."""
    assert read_inbox(text) is None


@given(st.text())
def test_a_message_is_one_line(text: str) -> None:
    """Whatever is in it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    lines = inbox_lines("t", text).split(b"\n")
    assert len(lines) == 3
    assert msgspec.json.decode(lines[0]) == {"type": "auth", "token": "t"}
    assert msgspec.json.decode(lines[1]) == {"type": "user", "message": {"role": "user", "content": text}}


def test_without_a_token_none_is_sent() -> None:
    """That of a session which a person started is not known."""
    assert inbox_lines("", "x").count(b"\n") == 1


# --- the session's own record ---


def record(tmp_path: Path, *entries: object) -> str:
    """A record with these lines, the last one unfinished."""
    path = tmp_path / "session.jsonl"
    path.write_bytes(b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries) + b'{"type":"user","mess')
    return str(path)


TEXT = "[m-5 from main/bob]\nhello"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"type": "user", "message": {"role": "user", "content": f"{PEER}{TEXT}\n\nThis came"}}, True),
        ({"type": "user", "message": {"role": "user", "content": TEXT}}, True),
        ({"type": "attachment", "attachment": {"type": "queued_command", "prompt": TEXT}}, True),
        ({"type": "queue-operation", "operation": "enqueue", "content": TEXT}, False),
        ({"type": "user", "message": {"role": "user", "content": f"he wrote: {TEXT}"}}, False),
        ({"type": "assistant", "message": {"content": [{"type": "text", "text": TEXT}]}}, False),
        ({"type": "user", "message": TEXT}, False),
        (TEXT, False),
    ],
)
def test_the_record_tells_what_the_model_was_given(tmp_path: Path, entry: object, expected: bool) -> None:
    """Not what was only queued, nor what was quoted."""
    path = record(tmp_path, {"type": "mode"}, entry)
    assert was_given(path, "m-5") is expected
    assert not was_given(path, "m-50")
    assert not was_given(path, "m-5.2")


def test_a_record_that_is_gone_tells_nothing(tmp_path: Path) -> None:
    """It may be cleaned up at any time."""
    assert not was_given(str(tmp_path / "gone.jsonl"), "m-5")


def test_it_can_be_shown() -> None:
    """With what it waits for."""
    protocol = ClaudeProtocol()
    protocol.hand_over(Outgoing(id="m-1", text="x"))
    assert repr(protocol) == "<ClaudeProtocol session='' handed=['m-1'] open=[]>"
