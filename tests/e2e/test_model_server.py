"""The scripted model itself, without any agent: what it answers in each API, and what it keeps."""

import http.client
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.agents.model import TOOLLESS, ModelServer
from tests.e2e.agents.script import echo

GEMINI = "/v1beta/models/gemini-2.5-pro"
TOOLS: dict[str, Any] = {
    "/v1/responses": [
        {"type": "function", "name": "exec_command"},
        {"type": "namespace", "name": "mcp__probe", "tools": [{"type": "function", "name": "ping"}]},
    ],
    "/v1/chat/completions": [{"type": "function", "function": {"name": name}} for name in ("bash", "probe_ping")],
    "/v1/messages": [{"name": name} for name in ("Bash", "mcp__probe__ping")],
    GEMINI: [{"functionDeclarations": [{"name": name} for name in ("run_shell_command", "mcp_probe_ping")]}],
}
"""Each API's form of an agent's own shell tool and of a tool of an MCP server."""


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


def post(model: ModelServer, path: str, body: dict[str, Any]) -> tuple[int, bytes]:
    """Status and body of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", model.port, timeout=10)
    try:
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def ask(server: ModelServer, path: str, text: str, *, stream: bool = True, **more: Any) -> tuple[int, bytes]:
    """Say `text` as an agent with tools does."""
    body = more or {"model": "scripted", "tools": TOOLS[path]}
    if path == GEMINI:
        path += ":streamGenerateContent?alt=sse" if stream else ":generateContent"
        return post(server, path, {**body, "contents": [{"role": "user", "parts": [{"text": text}]}]})
    said = "input" if path == "/v1/responses" else "messages"
    return post(server, path, {**body, "stream": stream, said: [{"role": "user", "content": text}]})


def events(raw: bytes) -> list[dict[str, Any]]:
    """The data of server-sent events."""
    lines = (line.removeprefix("data: ") for line in raw.decode().splitlines() if line.startswith("data: "))
    return [json.loads(line) for line in lines if line != "[DONE]"]


def streamed_text(path: str, raw: bytes) -> str:
    """What an agent would put together from the pieces."""
    found = events(raw)
    if path == "/v1/responses":
        return "".join(event["delta"] for event in found if event["type"] == "response.output_text.delta")
    if path == "/v1/chat/completions":
        return "".join(event["choices"][0]["delta"].get("content", "") for event in found if event["choices"])
    if path == "/v1/messages":
        return "".join(event["delta"]["text"] for event in found if event["type"] == "content_block_delta")
    return "".join(event["candidates"][0]["content"]["parts"][0]["text"] for event in found)


def whole_text(path: str, raw: bytes) -> str:
    answer = json.loads(raw)
    if path == "/v1/responses":
        return str(answer["output"][0]["content"][0]["text"])
    if path == "/v1/chat/completions":
        return str(answer["choices"][0]["message"]["content"])
    if path == "/v1/messages":
        return str(answer["content"][0]["text"])
    return str(answer["candidates"][0]["content"]["parts"][0]["text"])


def called(path: str, raw: bytes) -> tuple[str, dict[str, Any]]:
    """Name and arguments of the call that a stream ends with."""
    found = events(raw)
    if path == "/v1/responses":
        item = next(event["item"] for event in found if event["type"] == "response.output_item.done")
        return item.get("namespace", "") + item["name"], json.loads(item["arguments"])
    if path == "/v1/chat/completions":
        (call,) = next(
            delta["tool_calls"] for event in found if "tool_calls" in (delta := event["choices"][0]["delta"])
        )
        return call["function"]["name"], json.loads(call["function"]["arguments"])
    if path == "/v1/messages":
        block = next(event["content_block"] for event in found if event["type"] == "content_block_start")
        delta = next(event["delta"] for event in found if event["type"] == "content_block_delta")
        return block["name"], json.loads(delta["partial_json"])
    call = found[0]["candidates"][0]["content"]["parts"][0]["functionCall"]
    return call["name"], call["args"]


@pytest.mark.parametrize("path", TOOLS)
def test_the_echo_proves_what_arrived(model: ModelServer, path: str) -> None:
    """In pieces and whole; the hash is that of the very bytes."""
    text = " tab\there,\n\n  Ω and \u200bnothing: \\ "
    status, raw = ask(model, path, text)
    assert (status, streamed_text(path, raw)) == (200, echo(text))
    status, raw = ask(model, path, text, stream=False)
    assert (status, whole_text(path, raw)) == (200, echo(text))
    assert [request.text for request in model.turns] == [text, text]


def test_the_echo_is_a_hash_and_a_length() -> None:
    assert echo("hello") == "echo sha256:2cf24dba5fb0 len:5"


@pytest.mark.parametrize(
    ("path", "shell", "argument"),
    [
        ("/v1/responses", "exec_command", "cmd"),
        ("/v1/chat/completions", "bash", "command"),
        ("/v1/messages", "Bash", "command"),
        (GEMINI, "run_shell_command", "command"),
    ],
)
def test_a_tool_is_called_as_the_agent_publishes_it(model: ModelServer, path: str, shell: str, argument: str) -> None:
    name, arguments = called(path, ask(model, path, "please TOOL touch 'a b'")[1])
    assert (name, arguments[argument]) == (shell, "touch 'a b'")
    name, arguments = called(path, ask(model, path, 'MCP ping {"word": {"a": 1}}')[1])
    assert name.endswith("ping")
    assert "probe" in name
    assert arguments == {"word": {"a": 1}}


def test_codex_is_asked_to_escalate_unless_it_would_refuse_that_unasked(model: ModelServer) -> None:
    path, tools = "/v1/responses", TOOLS["/v1/responses"]
    _, arguments = called(path, ask(model, path, "TOOL ls")[1])
    assert arguments["sandbox_permissions"] == "require_escalated"
    never = "Approval policy is currently never. Do not provide it."
    _, arguments = called(path, ask(model, path, "TOOL ls", tools=tools, instructions=never)[1])
    assert arguments == {"cmd": "ls"}


def test_no_two_answers_have_one_id(model: ModelServer) -> None:
    """Claude takes those for parts of one message, and then repeats the call in it without end."""
    answers = [json.loads(ask(model, "/v1/messages", "TOOL ls", stream=False)[1]) for _ in range(2)]
    ids = {found["id"] for answer in answers for found in (answer, answer["content"][0])}
    assert len(ids) == 4


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (
            "/v1/responses",
            {"input": [{"role": "user", "content": "x"}, {"type": "function_call_output", "output": "hi"}]},
        ),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "x"}, {"role": "tool", "content": "hi"}]}),
        (
            "/v1/messages",
            {
                "messages": [
                    {"role": "user", "content": "x"},
                    {"role": "user", "content": [{"type": "tool_result", "content": "hi"}]},
                ]
            },
        ),
        (GEMINI, {"contents": [{"role": "user", "parts": [{"functionResponse": {"response": {"output": "hi"}}}]}]}),
    ],
)
def test_the_result_of_a_tool_ends_the_turn(model: ModelServer, path: str, said: dict[str, Any]) -> None:
    at = f"{path}:generateContent" if path == GEMINI else path
    _, raw = post(model, at, {"model": "scripted", "tools": TOOLS[path], **said})
    assert whole_text(path, raw) == "done: hi"
    assert model.turns[0].result == "hi"


@pytest.mark.parametrize("path", TOOLS)
@pytest.mark.parametrize("status", [429, 500])
def test_a_failure_is_refused_so_many_times_and_then_works(model: ModelServer, path: str, status: int) -> None:
    text = f"FAIL{status} 2"
    answers = [ask(model, path, text) for _ in range(3)]
    assert [answered for answered, _ in answers] == [status, status, 200]
    assert f"scripted failure {status}" in answers[0][1].decode()
    assert streamed_text(path, answers[2][1]) == echo(text)
    assert [request.status for request in model.turns] == [status, status, 200]


def test_a_failure_without_a_number_lasts(model: ModelServer) -> None:
    assert {ask(model, "/v1/messages", "FAIL500")[0] for _ in range(4)} == {500}


def test_words_come_slowly_and_a_question_is_asked(model: ModelServer) -> None:
    _, raw = ask(model, "/v1/messages", "SLOW 0.4")
    assert streamed_text("/v1/messages", raw) == "word1 word2 finished."
    _, raw = ask(model, "/v1/messages", "ASK")
    assert streamed_text("/v1/messages", raw).endswith("?")


def test_requests_without_tools_are_side_traffic(model: ModelServer) -> None:
    """Titles and the like; but one model name belongs to agents that never have tools."""
    path = "/v1/chat/completions"
    _, raw = ask(model, path, "HANG: make a title of this", model="scripted")
    assert streamed_text(path, raw) == "ok"
    _, raw = ask(model, path, "hello", model=f"openai/{TOOLLESS}")
    assert streamed_text(path, raw) == echo("hello")
    assert [request.kind for request in model.requests] == ["side", "turn"]


def test_what_the_agent_says_in_the_users_name_is_not_the_users(model: ModelServer) -> None:
    parts = [{"type": "text", "text": text} for text in ("hello", "<system-reminder>be good</system-reminder>")]
    body = {"tools": TOOLS["/v1/messages"], "messages": [{"role": "user", "content": parts}]}
    post(model, "/v1/messages", body)
    assert model.turns[0].texts == ("hello",)
    assert model.turns[0].body == body


def test_tokens_are_counted_and_models_listed(model: ModelServer) -> None:
    assert json.loads(post(model, "/v1/messages/count_tokens?beta=true", {})[1])["input_tokens"]
    assert json.loads(post(model, f"{GEMINI}:countTokens", {})[1])["totalTokens"]
    connection = http.client.HTTPConnection("127.0.0.1", model.port, timeout=10)
    connection.request("GET", "/v1/models")
    assert json.loads(connection.getresponse().read())["data"][0]["id"] == "scripted"
    connection.close()
    assert model.turns == []


def test_one_can_wait_for_a_request_to_come_and_for_its_end(model: ModelServer) -> None:
    asking = threading.Thread(target=ask, args=(model, "/v1/responses", "THINK 0.2"))
    asking.start()
    came = model.wait_for(lambda request: request.text == "THINK 0.2", 10)
    assert came.outcome == "open"
    assert model.wait_for(lambda request: request.outcome == "whole", 10) is came
    asking.join()


def test_waiting_in_vain_says_what_came_instead(model: ModelServer) -> None:
    ask(model, "/v1/messages", "something else")
    with pytest.raises(TimeoutError, match="something else"):
        model.wait_for(lambda request: request.text == "this", 0.01)


def test_closing_ends_what_hangs(tmp_path: Path) -> None:
    """No thread and no connection is left; the log has the request."""
    log = tmp_path / "log"
    with ModelServer(log=log) as model:
        connection = http.client.HTTPConnection("127.0.0.1", model.port, timeout=10)
        body = {"tools": TOOLS["/v1/messages"], "messages": [{"role": "user", "content": "HANG"}]}
        connection.request("POST", "/v1/messages", json.dumps(body))
        idle = http.client.HTTPConnection("127.0.0.1", model.port, timeout=10)
        idle.connect()
        hung = model.wait_for(lambda request: request.text == "HANG", 10)
    with pytest.raises(http.client.RemoteDisconnected):
        connection.getresponse()
    connection.close()
    idle.close()
    assert hung.outcome == "cut"
    assert json.loads(log.read_text())["body"] == body
