"""What codex 0.169.0 and this channel said to each other, replayed: frames, states, prompts, receipts, threads.

In the recordings each line is a direction and a frame; frames that nobody looks at were left out.
"""

from collections import deque
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmuxorc.agents.evidence import ChannelLost, ChannelSaid, PromptSeen
from tmuxorc.channels import Receipt, SessionKnown, Up
from tmuxorc.channels._codex_protocol import CodexProtocol, Output, Reply, Send
from tmuxorc.model import Prompt, Rung

RECORDED = Path(__file__).parent / "recorded" / "codex"
NAMES = sorted(path.stem for path in RECORDED.glob("*.jsonl"))
FIRST, SECOND, TITLES, CHILD = (f"01a20000-0000-7000-8000-00000000000{digit}" for digit in "1234")


def read(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The lines of one recording."""
    return (tuple(msgspec.json.decode(line)) for line in (RECORDED / f"{name}.jsonl").read_bytes().splitlines())


class Replay:
    """One recording played: `out` is all that came of it; what is sent must be what was sent then."""

    def __init__(self, name: str) -> None:
        self.protocol = CodexProtocol("c1")
        self.out: list[Output] = []
        self._due = deque[dict[str, Any]]()
        self._take(self.protocol.begin())
        for number, (direction, frame) in enumerate(read(name)):
            if direction == "<":
                self._take(self.protocol.receive(msgspec.json.encode(frame), float(number)))
            elif "result" not in frame:
                assert self._sent(frame) == frame

    def _take(self, outputs: list[Output]) -> None:
        self.out += [output for output in outputs if not isinstance(output, Send)]
        self._due.extend(msgspec.json.decode(output.text) for output in outputs if isinstance(output, Send))

    def _sent(self, frame: dict[str, Any]) -> dict[str, Any]:
        """What the protocol sends here by itself, or because the channel asks it to."""
        if frame["method"] == "thread/resume" and not self._due:
            self._take(self.protocol.poke())
        if self._due and self._due[0] == frame:
            return self._due.popleft()
        asked: dict[str, Any] = msgspec.json.decode(self.protocol.ask(frame["method"], **frame["params"])[1])
        if frame["method"] == "turn/interrupt":
            self.protocol.ended = frame["params"]["turnId"]
        if "clientUserMessageId" in frame["params"]:
            self.protocol.ours.add(frame["params"]["clientUserMessageId"])
        return asked

    @property
    def words(self) -> list[str]:
        """The states in order."""
        return [word for word, _ in groupby(one.said for one in self.out if isinstance(one, ChannelSaid))]

    @property
    def receipts(self) -> list[str]:
        """The messages that the model was given."""
        assert all(one.rung is Rung.TAKEN_IN for one in self.out if isinstance(one, Receipt))
        return [one.message_id for one in self.out if isinstance(one, Receipt)]

    @property
    def prompts(self) -> list[Prompt | None]:
        """Prompts as they came and went."""
        return [one.prompt for one in self.out if isinstance(one, PromptSeen)]


@pytest.mark.parametrize("name", NAMES)
def test_every_recording_plays(name: str) -> None:
    """What is sent is what was sent then, the channel came up once, and nothing of ours is left over."""
    replay = Replay(name)
    assert [one for one in replay.out if isinstance(one, Up)] == [Up(version="0.169.0")]
    assert not replay.protocol.ours


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("first-turn", "idle,active,idle"),
        ("approved", "idle,active,active waitingOnApproval,active,idle,active,idle"),
        ("denied", "idle,active,active waitingOnApproval,active,idle"),
        ("prompt-found", "active waitingOnApproval,active,idle,active,idle"),
        ("interrupted", "idle,active,idle,active,idle"),
        ("limited", "idle,active,systemError limited"),
    ],
)
def test_states(name: str, expected: str) -> None:
    """Also where the person pressed Escape, in a turn and on a prompt; codex's own turns for titles do not count."""
    assert ",".join(Replay(name).words) == expected


def test_a_failing_request() -> None:
    """It is retried, which is said, and then given up, which is said with the reason."""
    replay = Replay("gave-up")
    assert "active retrying" in replay.words
    assert replay.words[-1] == "systemError"
    said = [one for one in replay.out if isinstance(one, ChannelSaid)]
    assert any(one.detail.startswith("Reconnecting... 5/5 We") for one in said)
    assert said[-1].detail.endswith("currently experiencing high demand, which may cause temporary errors.")


def test_a_failure_before_our_time_is_told_with_its_reason() -> None:
    """The turn itself says what became of it."""
    assert Replay("gave-up").words[:2] == ["systemError", "systemError limited"]


@pytest.mark.parametrize("name", ["busy", "approved", "interrupted", "prompt-found", "new-thread", "first-turn"])
def test_each_message_has_one_receipt(name: str) -> None:
    """In the order of their sending; the first of a thread is told though nobody could listen yet."""
    sent = [frame["params"]["clientUserMessageId"] for direction, frame in read(name) if _is_message(direction, frame)]
    receipts = Replay(name).receipts
    assert [one for one in receipts if one in sent] == sent
    assert len(set(receipts)) == len(receipts)


def _is_message(direction: str, frame: dict[str, Any]) -> bool:
    return direction == ">" and "clientUserMessageId" in frame.get("params", {})


def test_a_prompt() -> None:
    """What would run, what can be answered; gone when answered."""
    prompt, over = Replay("approved").prompts
    assert prompt is not None
    assert over is None
    assert (prompt.id, prompt.source, prompt.question) == ("c1-0", "codex", "Do you want to run this command?")
    assert prompt.command == "/bin/bash -lc 'touch proof-approved'"
    keys = [option.key for option in prompt.options]
    assert keys == ["accept", "acceptWithExecpolicyAmendment", "cancel", "decline"]
    assert (prompt.approve, prompt.deny) == ("accept", "decline")


def test_a_prompt_that_was_open_before_is_found() -> None:
    """Codex sends it again to whoever resumes its thread."""
    prompt, over = Replay("prompt-found").prompts
    assert prompt is not None
    assert "proof-escaped" in prompt.command
    assert over is None


def test_a_new_thread_of_the_persons() -> None:
    """It is followed after ``/new``, and the old one left."""
    replay = Replay("new-thread")
    sessions = [one.session for one in replay.out if isinstance(one, SessionKnown)]
    assert len(sessions) == len(set(sessions)) == 2
    assert replay.protocol.thread == sessions[-1]
    left = [frame for _, frame in read("new-thread") if frame.get("method") == "thread/unsubscribe"]
    assert left[0]["params"]["threadId"] == sessions[0]


def test_the_session_is_told_once_it_can_be_gone_on_with() -> None:
    """Codex cannot resume a thread in which nothing was said."""
    out = Replay("first-turn").out
    assert isinstance(out[0], Up)
    refused = [frame for _, frame in read("first-turn") if "no rollout" in frame.get("error", {}).get("message", "")]
    assert refused
    assert [type(one) for one in out].index(SessionKnown) > [getattr(one, "said", "") for one in out].index("active")


# --- frames made by hand ---


def connected(*threads: dict[str, Any], session: str = "") -> tuple[CodexProtocol, list[Output]]:
    """A protocol that has read these threads, and what it said."""
    protocol = CodexProtocol("c1", session)
    protocol.begin()
    out = say(protocol, id=1, result={"userAgent": "codex-tui/0.169.0 (x)"})
    listed = sorted(thread["id"] for thread in threads)
    out += say(protocol, id=2, result={"data": listed})
    for number, thread in enumerate(sorted(threads, key=lambda one: str(one["id"])), 3):
        out += say(protocol, id=number, result={"thread": thread})
    return protocol, out


def say(protocol: CodexProtocol, **frame: Any) -> list[Output]:
    """The server says this."""
    return protocol.receive(msgspec.json.encode(frame), 1.0)


def thread(name: str, status: str = "idle", *, flags: tuple[str, ...] = (), preview: str = "x", **more: Any) -> Any:
    """A thread as the server describes it."""
    return {"id": name, "preview": preview, "status": {"type": status, "activeFlags": flags}, **more}


def status(protocol: CodexProtocol, name: str, word: str, *flags: str) -> list[Output]:
    """A thread's status changes."""
    return say(
        protocol,
        method="thread/status/changed",
        params={"threadId": name, "status": {"type": word, "activeFlags": flags}},
    )


def sent(out: list[Output]) -> list[tuple[str, str]]:
    """Methods and threads of the requests sent."""
    frames = (msgspec.json.decode(one.text) for one in out if isinstance(one, Send))
    return [(frame["method"], frame.get("params", {}).get("threadId", "")) for frame in frames]


def test_without_a_thread_it_waits() -> None:
    """The terminal interface has not begun one."""
    protocol, out = connected()
    assert not any(isinstance(one, Up) for one in out)
    assert protocol.thread == ""
    assert "no thread" in repr(protocol)
    assert not protocol.restless
    out = say(protocol, method="thread/started", params={"thread": thread(FIRST, preview="")})
    assert isinstance(out[0], Up)
    assert sent(out) == [("thread/resume", FIRST)]


def test_threads_that_nobody_speaks_in() -> None:
    """Those for titles and those of sub-agents are never taken for the person's."""
    protocol, _ = connected(thread(FIRST), thread(TITLES, ephemeral=True), thread(CHILD, parentThreadId=FIRST))
    assert protocol.thread == FIRST
    say(protocol, method="thread/started", params={"thread": thread("titles", ephemeral=True)})
    assert protocol.thread == FIRST


@pytest.mark.parametrize(
    ("session", "preview", "chosen"),
    [("", "x", SECOND), (FIRST, "x", FIRST), (FIRST, "", SECOND), ("gone", "x", SECOND)],
)
def test_which_of_several_threads(session: str, preview: str, chosen: str) -> None:
    """The one last known, unless a newer one was begun since in which nothing was said yet."""
    protocol, _ = connected(thread(FIRST), thread(SECOND, preview=preview), session=session)
    assert protocol.thread == chosen


def test_the_person_goes_to_another_thread() -> None:
    """One that is not known is looked at, one that is known is entered when something happens in it."""
    protocol, _ = connected(thread(SECOND))
    out = status(protocol, FIRST, "idle")
    assert sent(out) == [("thread/read", FIRST)]
    say(protocol, id=msgspec.json.decode(out[0].text)["id"], result={"thread": thread(FIRST)})  # type: ignore[union-attr]
    assert protocol.thread == FIRST
    status(protocol, SECOND, "idle")
    assert protocol.thread == FIRST
    out = status(protocol, SECOND, "active")
    assert protocol.thread == SECOND
    assert [one.said for one in out if isinstance(one, ChannelSaid)][-1] == "active"


def test_a_closed_thread() -> None:
    """The channel is lost until there is another; others do not matter."""
    protocol, _ = connected(thread(FIRST))
    assert say(protocol, method="thread/closed", params={"threadId": TITLES}) == []
    out = say(protocol, method="thread/closed", params={"threadId": FIRST})
    assert [type(one) for one in out] == [ChannelLost]
    out = say(protocol, method="thread/started", params={"thread": thread(SECOND)})
    assert isinstance(out[0], Up)


def test_a_sub_agents_prompt_counts() -> None:
    """Its thread is listened to, for the terminal shows its prompt."""
    protocol, _ = connected(thread(FIRST, "active"), thread(CHILD, parentThreadId=FIRST))
    out = status(protocol, CHILD, "active", "waitingOnApproval")
    assert sent(out) == [("thread/resume", CHILD)]
    assert [one.said for one in out if isinstance(one, ChannelSaid)] == ["active waitingOnApproval"]
    ask(protocol, 7, CHILD)
    out = status(protocol, CHILD, "active")
    assert [one.prompt for one in out if isinstance(one, PromptSeen)] == [None]
    assert [one.said for one in out if isinstance(one, ChannelSaid)] == ["active"]


COMMAND = "item/commandExecution/requestApproval"


def ask(protocol: CodexProtocol, request: int | str, name: str = FIRST, method: str = COMMAND, **params: Any) -> Prompt:
    """The server asks; the prompt that is shown for it."""
    out = say(protocol, id=request, method=method, params={"threadId": name, **params})
    (seen,) = (one for one in out if isinstance(one, PromptSeen))
    assert seen.prompt is not None
    return seen.prompt


def results(protocol: CodexProtocol) -> dict[str, object]:
    """What each answer would send."""
    (prompt,) = protocol.prompts.values()
    return prompt.results


def test_prompts_of_other_sorts() -> None:
    """What is understood can be answered."""
    protocol, _ = connected(thread(FIRST))
    prompt = ask(protocol, "a", method="item/fileChange/requestApproval", reason=None, grantRoot="/srv")
    assert (prompt.question, prompt.approve) == ("Would you like to make the following edits below /srv?", "accept")
    say(protocol, method="serverRequest/resolved", params={"threadId": FIRST, "requestId": "a"})

    prompt = ask(protocol, 2, method="item/permissions/requestApproval", permissions={"network": True})
    assert results(protocol)[prompt.approve] == {"permissions": {"network": True}, "scope": "turn"}
    assert results(protocol)[prompt.deny] == {"permissions": {}, "scope": "turn"}
    say(protocol, method="serverRequest/resolved", params={"threadId": FIRST, "requestId": 2})

    question = {"id": "q", "question": "Which?", "options": [{"label": "red"}, {"label": "blue"}]}
    prompt = ask(protocol, 3, method="item/tool/requestUserInput", questions=[question])
    assert [option.label for option in prompt.options] == ["red", "blue"]
    assert results(protocol)["2"] == {"answers": {"q": {"answers": ["blue"]}}}
    say(protocol, method="serverRequest/resolved", params={"threadId": FIRST, "requestId": 3})

    prompt = ask(protocol, 4, method="mcpServer/elicitation/request", serverName="db", message="Your name?")
    assert (prompt.question, prompt.approve, prompt.deny) == ("db: Your name?", "", "decline")
    assert results(protocol)["decline"] == {"action": "decline", "content": None, "_meta": None}


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("something/new", {}),
        ("item/tool/requestUserInput", {"questions": [{"id": "a"}, {"id": "b"}]}),
        ("item/tool/requestUserInput", {"questions": [{"id": "a", "isSecret": True, "options": [{"label": "x"}]}]}),
        (COMMAND, {"command": 5}),
    ],
)
def test_what_is_not_understood_is_shown_and_never_answered(method: str, params: dict[str, Any]) -> None:
    """It has no options, unless they are the ones that all such requests have."""
    protocol, _ = connected(thread(FIRST))
    prompt = ask(protocol, 1, method=method, **params)
    assert method == COMMAND or prompt.options == ()


def test_what_is_no_question_for_a_person_is_not_shown() -> None:
    """Codex asks the program that wears it for the time."""
    protocol, _ = connected(thread(FIRST))
    assert say(protocol, id=9, method="currentTime/read", params={}) == []


def test_a_command_that_a_person_must_see_is_not_approved_from_here() -> None:
    """It has no option that is `approve`."""
    protocol, _ = connected(thread(FIRST))
    assert ask(protocol, 1, kind="humanCommand").approve == ""


def test_the_oldest_of_two_prompts_is_shown() -> None:
    """The next one when that is answered; all are over when the thread is idle."""
    protocol, _ = connected(thread(FIRST, "active"))
    ask(protocol, 1, command="one")
    assert ask(protocol, 2, command="two").command == "one"
    out = say(protocol, method="serverRequest/resolved", params={"threadId": FIRST, "requestId": 1})
    assert [one.prompt.command for one in out if isinstance(one, PromptSeen) and one.prompt] == ["two"]
    out = status(protocol, FIRST, "idle")
    assert [one.prompt for one in out if isinstance(one, PromptSeen)] == [None]


def test_a_stalled_queue() -> None:
    """Ours wait though no turn runs; an interruption of our own does not count as a person's."""
    protocol, _ = connected(thread(FIRST))
    protocol.ours.add("m-1")
    assert protocol.stalled
    turn = {"id": "t1", "status": "interrupted"}
    say(protocol, method="turn/started", params={"threadId": FIRST, "turn": {"id": "t1"}})
    assert not protocol.stalled
    say(protocol, method="turn/completed", params={"threadId": FIRST, "turn": turn})
    assert protocol.stalled
    assert protocol.interrupted
    protocol.ended = "t1"
    say(protocol, method="turn/completed", params={"threadId": FIRST, "turn": turn})
    assert not protocol.interrupted


def test_it_tries_again_to_listen() -> None:
    """While a turn runs that it cannot listen to yet, once at a time."""
    protocol, _ = connected(thread(FIRST, "active", preview=""))
    assert not protocol.restless
    say(protocol, id=4, error={"code": -32600, "message": "no rollout found"})
    assert protocol.restless
    assert sent(protocol.poke()) == [("thread/resume", FIRST)]
    assert protocol.poke() == []


def test_answers_to_requests() -> None:
    """The caller gets what came, and each answer once."""
    protocol, _ = connected(thread(FIRST))
    id_, _ = protocol.ask("thread/queue/start", threadId=FIRST)
    (reply,) = say(protocol, id=id_, error={"code": -32600, "message": "queue is empty"})
    assert isinstance(reply, Reply)
    assert reply.error is not None
    assert reply.error.message == "queue is empty"
    assert say(protocol, id=id_, result={}) == []


def test_repeated_tries_are_over_when_something_comes() -> None:
    """The retry has worked."""
    protocol, _ = connected(thread(FIRST, "active"))
    error = {"message": "Reconnecting... 1/5", "additionalDetails": None}
    out = say(protocol, method="error", params={"threadId": FIRST, "error": error, "willRetry": True})
    assert [(one.said, one.detail) for one in out if isinstance(one, ChannelSaid)] == [
        ("active retrying", "Reconnecting... 1/5")
    ]
    out = say(protocol, method="item/agentMessage/delta", params={"threadId": FIRST, "delta": "x"})
    assert [one.said for one in out if isinstance(one, ChannelSaid)] == ["active"]


METHODS = [*CodexProtocol("c")._told, COMMAND, "something/new", ""]  # pyright: ignore[reportPrivateUsage]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from([FIRST, "idle", "active"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["threadId", "thread", "status", "turn", "item", "id", "type"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)


@given(st.lists(st.tuples(st.none() | st.integers(0, 9), st.sampled_from(METHODS), JSON, JSON), max_size=8))
def test_any_frame_is_survived(given_: list[tuple[int | None, str, Any, Any]]) -> None:
    """The server calls its interface experimental."""
    protocol, _ = connected(thread(FIRST))
    for id_, method, params, result in given_:
        say(protocol, id=id_, method=method, params=params, result=result)


@given(st.binary(max_size=60))
def test_any_bytes_are_survived(data: bytes) -> None:
    """What is no frame is passed over."""
    protocol, _ = connected(thread(FIRST))
    protocol.receive(data, 1.0)
