from datetime import UTC, datetime, timedelta

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from tests.support import make_home
from tmuxorc.errors import NotFoundError
from tmuxorc.journal import Journal, NewMessage, open_journal
from tmuxorc.model import MessageView, Rung

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def to(target: str, text: str = "hello") -> NewMessage:
    return NewMessage(sender="operator", target=target, text=text)


def ids(messages: tuple[MessageView, ...]) -> list[str]:
    return [message.id for message in messages]


async def test_accepted_messages_get_ids_in_order_and_a_first_step(path: str):
    async with open_journal(path, now=lambda: NOON) as journal:
        first, second = await journal.accept((to("main/alice", "one"), to("main/bob", "two")))
        (third,) = await journal.accept((to("main/alice"),))
    assert ids((first, second, third)) == ["m-1", "m-2", "m-3"]
    assert (first.text, first.rung, first.created_at, first.updated_at) == ("one", Rung.ACCEPTED, NOON, NOON)
    assert [(step.rung, step.at) for step in first.history] == [(Rung.ACCEPTED, NOON)]


async def test_what_accept_answers_is_what_is_kept(path: str):
    async with open_journal(path) as journal:
        accepted = await journal.accept(
            (to("main/alice", "x" * 2**20), to("main/alice", ""), to("main/bob", "a\0b\r\x1b"))
        )
        assert await journal.messages() == accepted
    async with open_journal(path) as journal:
        assert (await journal.load()).messages == accepted


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_a_text_comes_back_as_it_was(text: str):
    async def main(path: str) -> str:
        async with open_journal(path) as journal:
            (message,) = await journal.accept((to("main/alice", text),))
            return (await journal.message(message.id)).text

    with make_home() as home:
        assert trio.run(main, str(home.state / "j.db")) == text


async def test_a_message_climbs_and_its_history_says_when_and_why(path: str):
    moments = [NOON + timedelta(seconds=n) for n in range(9)]
    clock = iter(moments)
    async with open_journal(path, now=lambda: next(clock)) as journal:
        await journal.accept((to("main/alice"),))
        await journal.advance("m-1", Rung.HELD, "copy mode", "the person is looking back")
        await journal.advance("m-1", Rung.SUBMITTED, "Enter pressed")
        view = await journal.message("m-1")
    assert (view.rung, view.detail, view.updated_at) == (Rung.SUBMITTED, "", moments[2])
    assert [(step.rung, step.evidence, step.at) for step in view.history] == [
        (Rung.ACCEPTED, "in the journal", moments[0]),
        (Rung.HELD, "copy mode", moments[1]),
        (Rung.SUBMITTED, "Enter pressed", moments[2]),
    ]


async def test_advance_answers_the_message_as_it_then_is(path: str):
    async with open_journal(path) as journal:
        await journal.accept((to("main/alice"),))
        assert await journal.advance("m-1", Rung.STAGED, "e", "d") == await journal.message("m-1")


async def test_the_same_rung_again_is_one_step(path: str):
    """An agent that is busy for hours, and says so in other words every second, does not make an endless history."""
    moments = [NOON + timedelta(seconds=n) for n in range(9)]
    clock = iter(moments)
    async with open_journal(path, now=lambda: next(clock)) as journal:
        await journal.accept((to("main/alice"),))
        for number in range(5):
            view = await journal.advance("m-1", Rung.HELD, f"busy for {number} s", f"try {number}")
        assert view == await journal.message("m-1")
    assert [(step.rung, step.evidence, step.at) for step in view.history[1:]] == [
        (Rung.HELD, "busy for 4 s", moments[1])
    ]
    assert (view.detail, view.updated_at) == ("try 4", moments[5])


async def test_evidence_no_encoding_was_meant_for_is_kept_readable(path: str):
    async with open_journal(path) as journal:
        await journal.accept((to("main/alice"),))
        view = await journal.advance("m-1", Rung.UNVERIFIED, "saw \udcff", "on \ud800")
    assert view.history[-1].evidence == "saw \\udcff"
    assert view.detail == "on \\ud800"


async def test_only_unsettled_messages_are_loaded_oldest_first(path: str):
    async with open_journal(path) as journal:
        await journal.accept([to("main/alice") for _ in Rung])
        for number, rung in enumerate(Rung, 1):
            await journal.advance(f"m-{number}", rung, "test")
        snapshot = await journal.load()
    assert [message.rung for message in snapshot.messages] == [rung for rung in Rung if not rung.settled]


async def test_a_settled_message_can_be_taken_up_again(path: str):
    async with open_journal(path) as journal:
        await journal.accept((to("main/alice"),))
        await journal.advance("m-1", Rung.DEAD_LETTER, "agent removed")
        await journal.advance("m-1", Rung.ACCEPTED, "redelivered by hand")
        assert ids((await journal.load()).messages) == ["m-1"]


async def populated(journal: Journal) -> None:
    await journal.accept([to(target) for target in ("main/a", "main/b", "main-2/a", "main/a", "mai/a")])
    await journal.advance("m-1", Rung.SUBMITTED, "test")
    await journal.advance("m-3", Rung.DEAD_LETTER, "test")


@pytest.mark.parametrize(
    ("target", "rungs", "limit", "found"),
    [
        (None, (), 100, "12345"),
        (None, (), 2, "45"),
        (None, (), 0, ""),
        ("main/a", (), 100, "14"),
        ("main/a", (), 1, "4"),
        ("main/*", (), 100, "124"),
        ("main", (), 100, ""),
        (None, (Rung.DEAD_LETTER, Rung.SUBMITTED), 100, "13"),
        ("main/a", (Rung.ACCEPTED,), 100, "4"),
        ("main/%", (), 100, ""),
    ],
)
async def test_messages_are_filtered_and_the_newest_stand_last(
    path: str, target: str | None, rungs: tuple[Rung, ...], limit: int, found: str
):
    async with open_journal(path) as journal:
        await populated(journal)
        messages = await journal.messages(target=target, rungs=rungs, limit=limit)
    assert ids(messages) == [f"m-{digit}" for digit in found]


async def test_a_list_of_large_texts_stays_small_enough_to_be_sent(path: str):
    """Twenty texts of a mebibyte are cut, never in the middle of a character; each alone is whole."""
    large = "x" + "é" * 2**19
    room = 6 * 2**20 // 20
    async with open_journal(path) as journal:
        await journal.accept([to("main/alice", large)] * 20)
        listed = await journal.messages()
        alone = await journal.message("m-20")
    assert room % 2 == 0
    assert {message.text.partition("…")[0] for message in listed} == {"x" + "é" * ((room - 1) // 2)}
    assert listed[0].text.endswith("… (cut: 1048577 bytes in all)")
    assert alone.text == large


async def test_messages_are_counted_by_rung(path: str):
    async with open_journal(path) as journal:
        assert await journal.message_counts() == {}
        await populated(journal)
        assert await journal.message_counts() == {"accepted": 3, "dead_letter": 1, "submitted": 1}


@pytest.mark.parametrize("id_", ["", "m-", "m-2", "m-0", "m--1", "1", "m-1 ", "m-٣", "x-1", "m-1e3", "m-" + "9" * 40])
async def test_a_message_that_does_not_exist_is_not_found(path: str, id_: str):
    async with open_journal(path) as journal:
        await journal.accept((to("main/alice"),))
        with pytest.raises(NotFoundError, match="no message"):
            await journal.message(id_)
        with pytest.raises(NotFoundError, match="no message"):
            await journal.advance(id_, Rung.STAGED, "test")


async def test_no_messages_at_all_are_accepted_as_none(path: str):
    async with open_journal(path) as journal:
        assert await journal.accept(()) == ()
