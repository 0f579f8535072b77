"""Messages through the real supervisor into real agents: rungs, holds, queues, dead letters, many at once."""

import json
from functools import partial
from pathlib import Path

import pytest

from tests.support import Home
from tests.tmux.supervisor._orc import BLOCKED, BUSY, IDLE, PYTHON, SLEEP, Orc
from tmuxorc.errors import RemoteError
from tmuxorc.model import MessageView, Rung
from tmuxorc.wire import methods as m

ARRIVED = (Rung.SUBMITTED, Rung.TAKEN_IN)


def demo(record: Path) -> tuple[str, ...]:
    return (PYTHON, "-I", "-m", "tmuxorc.agents.demo", "--record", str(record))


def texts(record: Path) -> list[str]:
    lines = record.read_text().splitlines() if record.exists() else []
    return [json.loads(line)["text"] for line in lines]


def rungs(message: MessageView) -> list[Rung]:
    return [step.rung for step in message.history]


def test_a_message_climbs_its_rungs_and_arrives_byte_for_byte(orc: Orc, home: Home) -> None:
    record = home.root / "record"
    orc.spawn("alice", *demo(record), kind="demo", wait="ready")
    text = "echo two lines, a tab\t, $HOME `x` \"quotes\" 'too' ; \\ and ünïcode ☃ 漢字\n#{pane_id} %end"
    (message,) = orc.send("alice", text, Rung.SUBMITTED)
    assert message.rung in ARRIVED
    orc.await_rung(message, Rung.TAKEN_IN)
    history = rungs(orc.message(message.id))
    assert history == [Rung.ACCEPTED, Rung.STAGED, Rung.SUBMITTED, Rung.TAKEN_IN]
    assert texts(record) == [text]
    assert orc.info("alice").messages_waiting == 0


def test_a_message_waits_while_a_permission_is_asked_and_goes_after(orc: Orc, home: Home) -> None:
    record = home.root / "record"
    orc.spawn("alice", *demo(record), kind="demo", wait="ready")
    orc.send("alice", "ask rm -rf build", Rung.SUBMITTED)
    blocked = orc.await_state("alice", BLOCKED)
    assert blocked.detail == "rm -rf build"
    (held,) = orc.send("alice", "echo after the answer", Rung.HELD)
    assert held.rung is Rung.HELD
    assert "waits for an answer" in held.detail
    assert orc.info("alice").messages_waiting == 1
    attention = orc.call(m.SYSTEM_STATUS, m.Empty()).attention
    assert [(each.address, each.state) for each in attention] == [("main/alice", BLOCKED)]
    orc.keys("alice", "y")
    orc.await_rung(held, Rung.SUBMITTED)
    orc.await_state("alice", IDLE)
    assert texts(record) == ["ask rm -rf build", "echo after the answer"]


def test_a_busy_agent_queues_what_it_is_sent(orc: Orc, home: Home) -> None:
    record = home.root / "record"
    orc.spawn("alice", *demo(record), kind="demo", wait="ready")
    orc.send("alice", "work 1", Rung.SUBMITTED)
    orc.await_state("alice", BUSY)
    sent = [orc.send("alice", f"echo {n}", Rung.SUBMITTED)[0] for n in range(2)]
    assert all(message.rung in ARRIVED for message in sent)
    for message in sent:
        orc.await_rung(message, Rung.SUBMITTED)
    orc.await_state("alice", IDLE)
    assert texts(record) == ["work 1", "echo 0", "echo 1"]


def test_a_message_to_a_stopped_agent_waits_for_its_start_and_outlives_the_supervisor(orc: Orc, home: Home) -> None:
    record = home.root / "record"
    orc.spawn("alice", *demo(record), kind="demo", wait="ready")
    orc.stop("alice")
    (message,) = orc.send("alice", "echo while you were away")
    with pytest.raises(RemoteError) as late:
        orc.call(m.MESSAGE_SEND, m.SendMessage(target="alice", text="echo second", wait=Rung.SUBMITTED, timeout_s=0.05))
    assert late.value.code == "timed_out"
    assert orc.info("alice").messages_waiting == 2
    orc.kill_supervisor()
    assert orc.info("alice").messages_waiting == 2
    orc.start("alice")
    orc.await_rung(message, Rung.SUBMITTED)
    second = late.value.details["messages"][0]["id"]
    orc.await_rung(orc.message(second), Rung.SUBMITTED)
    orc.await_state("alice", IDLE)
    assert texts(record) == ["echo while you were away", "echo second"]


def test_a_team_and_everyone_get_one_message_each(orc: Orc) -> None:
    orc.create_team("crew")
    for name in ("a", "b"):
        orc.spawn(name, team="crew", wait="ready")
    orc.spawn("c", wait="ready")
    to_team = orc.send("crew/*", "echo team", Rung.SUBMITTED)
    assert [(message.target, message.rung in ARRIVED) for message in to_team] == [("crew/a", True), ("crew/b", True)]
    to_all = orc.send("*", "echo all", Rung.SUBMITTED)
    assert sorted(message.target for message in to_all) == ["crew/a", "crew/b", "main/c"]
    assert all(message.rung in ARRIVED for message in to_all)
    orc.create_team("empty")
    for nobody in ("empty/*", "nobody/*", "nobody"):
        with pytest.raises(RemoteError) as unknown:
            orc.send(nobody, "hello")
        assert unknown.value.code == "not_found"


def test_fifty_at_once_arrive_once_each(orc: Orc, home: Home) -> None:
    records = {name: home.root / f"record-{name}" for name in ("a", "b", "c", "d", "e")}
    for name, record in records.items():
        orc.spawn(name, *demo(record), "--think", "0", kind="demo")
    for name in records:
        orc.await_state(name, IDLE)
    wanted = [(name, f"echo {name} {n}") for n in range(10) for name in records]
    outcomes = orc.all_at_once([partial(orc.send, name, text, Rung.SUBMITTED) for name, text in wanted])
    assert [each for each in outcomes if isinstance(each, Exception) or each[0].rung not in ARRIVED] == []
    for name, record in records.items():
        orc.await_state(name, IDLE)
        assert sorted(texts(record)) == sorted(text for to, text in wanted if to == name)


def test_messages_to_a_removed_agent_are_dead_letters_and_can_be_redelivered(orc: Orc) -> None:
    orc.spawn("alice", *SLEEP)
    orc.stop("alice")
    (message,) = orc.send("alice", "never mind")
    orc.remove("alice")
    dead = orc.call(m.MESSAGE_LIST, m.ListMessages(rungs=(Rung.DEAD_LETTER,))).messages
    assert [(each.id, each.detail) for each in dead] == [(message.id, "its agent was removed")]
    with pytest.raises(RemoteError) as nobody:
        orc.call(m.MESSAGE_REDELIVER, m.MessageId(id=message.id))
    assert nobody.value.code == "not_found"
    orc.spawn("alice", wait="ready")
    assert orc.call(m.MESSAGE_REDELIVER, m.MessageId(id=message.id)).rung is Rung.ACCEPTED
    orc.await_rung(message, Rung.SUBMITTED)
    with pytest.raises(RemoteError) as arrived:
        orc.call(m.MESSAGE_REDELIVER, m.MessageId(id=message.id))
    assert arrived.value.code == "conflict"


def test_a_message_runs_at_a_shells_prompt(orc: Orc) -> None:
    orc.spawn("sh", "sh", "-i", kind="shell", env={"PS1": "$ "}, wait="ready")
    tmux = orc.tmux
    (message,) = orc.send("sh", f"echo $((6*7)); {tmux.binary} -S {tmux.socket_path} wait-for -S done", Rung.SUBMITTED)
    assert message.rung in (*ARRIVED, Rung.UNVERIFIED)
    tmux.run("wait-for", "done")
    assert "\n42\n" in orc.screen("sh")


BAD_TEXTS = ["", "  \n", "a\x00b", "a\x1b[0m", "a\rb", "\x7f", "\x85", "x" * ((1 << 20) + 1)]


def test_text_that_cannot_be_a_message_is_refused_and_not_kept(orc: Orc) -> None:
    orc.spawn("alice", *SLEEP)
    for text in BAD_TEXTS:
        with pytest.raises(RemoteError) as refused:
            orc.send("alice", text)
        assert refused.value.exit_status == 5
    with pytest.raises(RemoteError) as forged:
        orc.call(m.MESSAGE_SEND, m.SendMessage(target="alice", text="hi", sender="x\x1b[201~\r"))
    assert forged.value.code == "bad_name"
    assert orc.call(m.MESSAGE_LIST, m.ListMessages()).messages == ()


def test_a_message_is_answered_and_its_asker_is_told(orc: Orc, home: Home) -> None:
    """A reply settles the question; an agent that asked gets it as a message that names what it answers."""
    record = home.root / "record"
    orc.spawn("alice", *demo(record), kind="demo", wait="ready")
    orc.spawn("bob", *SLEEP)
    (question,) = orc.call(m.MESSAGE_SEND, m.SendMessage(target="bob", text="ready?", sender="main/alice")).messages
    answered = orc.call(m.MESSAGE_REPLY, m.Reply(id=question.id, text="yes", sender="main/bob"))
    assert (answered.rung, answered.detail) == (Rung.ANSWERED, "yes")
    (told,) = orc.call(m.MESSAGE_LIST, m.ListMessages(target="alice")).messages
    assert (told.sender, told.text, told.terms.reply_to) == ("main/bob", "yes", question.id)
    orc.await_rung(told, Rung.TAKEN_IN)
    assert texts(record) == [f"[{told.id} from main/bob]\nyes"]


def test_a_receiver_may_say_itself_that_a_message_arrived(orc: Orc) -> None:
    orc.spawn("bob", *SLEEP)
    (message,) = orc.send("bob", "are you there?")
    assert orc.call(m.MESSAGE_ACK, m.MessageId(id=message.id)).rung is Rung.TAKEN_IN
    assert orc.info("bob").messages_waiting == 0


def test_now_ends_the_turn_and_goes_first(orc: Orc, home: Home) -> None:
    """What waited before stays behind it."""
    record = home.root / "record"
    orc.spawn("alice", *demo(record), kind="demo", wait="ready")
    orc.send("alice", "ask make", Rung.SUBMITTED)
    orc.await_state("alice", BLOCKED)
    (waiting,) = orc.send("alice", "echo later", Rung.HELD)
    urgent = orc.call(m.MESSAGE_SEND, m.SendMessage(target="alice", text="echo first", now=True)).messages[0]
    orc.keys("alice", "y")
    orc.await_rung(waiting, Rung.SUBMITTED)
    orc.await_state("alice", IDLE)
    assert texts(record) == ["ask make", "echo first", "echo later"]
    assert orc.message(urgent.id).rung in ARRIVED


def test_a_reply_to_nothing_and_a_time_that_is_over_are_refused(orc: Orc) -> None:
    orc.spawn("bob", *SLEEP)
    for asked, code in (({"reply_to": "m-99"}, "not_found"), ({"ttl_s": 0.0}, "usage")):
        with pytest.raises(RemoteError) as refused:
            orc.call(m.MESSAGE_SEND, m.SendMessage(target="bob", text="x", **asked))
        assert refused.value.code == code
