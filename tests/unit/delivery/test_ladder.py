"""The ladder effect by effect, against screens made by hand."""

from collections.abc import Callable

import pytest

from tests.unit.delivery.screens import composer, dialog, terminal
from tests.unit.delivery.world import DEMO, message
from tmuxorc.agents.evidence import ScreenSeen
from tmuxorc.agents.kinds import load_kinds
from tmuxorc.delivery import Advance, Done, Effect, Hold, Ladder, Paste, Press, ReadScreen, Result, Wait
from tmuxorc.errors import DeliveryError
from tmuxorc.model import MessageView, Rung

KINDS = load_kinds()
Screens = list[ScreenSeen]


def climb(ladder: Ladder, screens: Screens, *, refuse: Callable[[Effect], bool] | None = None) -> list[Effect]:
    """Perform everything, one screen after another, until `Done` or until the screens run out."""
    effects: list[Effect] = []
    waiting = iter(screens)
    effect = ladder.begin()
    while True:
        effects.append(effect)
        if isinstance(effect, Done):
            return effects
        result: Result = None
        if isinstance(effect, ReadScreen):
            result = next(waiting, None)
            if result is None:
                return effects
        elif isinstance(effect, (Paste, Press)):
            result = not (refuse and refuse(effect))
        effect = ladder.answer(result)


def story(effects: list[Effect]) -> list[str]:
    """The effects in short: what matters besides the screens read."""
    said: list[str] = []
    for effect in effects:
        match effect:
            case Advance(rung=rung) | Done(rung=rung):
                said.append(f"{type(effect).__name__} {rung.value}")
            case Hold(reason=reason):
                said.append(f"Hold {reason}")
            case ReadScreen():
                pass
            case _:
                said.append(type(effect).__name__)
    return said


def demo(text: str = "hello", marker: str = "", **changes: object) -> Ladder:
    """A ladder into a demo agent whose process is number 3."""
    return Ladder(DEMO, message(1, text, **changes), incarnation="3", marker=marker)  # type: ignore[arg-type]


SENT = composer(transcript=("> hello",))
WHOLE_WAY = [
    "Paste",
    "Advance staged",
    "Wait",
    "Press",
    "Advance submitted",
    "Advance taken_in",
    "Done taken_in",
]


def test_the_whole_way() -> None:
    """Look, paste, see the text, journal it as staged, pause, submit, see it gone and in the transcript."""
    assert story(climb(demo(), [composer(), composer("hello"), SENT])) == WHOLE_WAY


def test_the_paste_is_gated_on_the_very_screen_that_was_judged() -> None:
    """The composer empty, the cursor where it was seen, no dialog, nobody else's marker."""
    effects = climb(demo(marker="m-0:submitted:3"), [composer()])
    paste = next(effect for effect in effects if isinstance(effect, Paste))
    assert paste.data == b"hello"
    assert paste.marker == "m-1:pasted:3"
    assert paste.gate.marker == "m-0:submitted:3"
    assert paste.gate.shows == ("^❯$",)
    assert paste.gate.hides == DEMO.dialogs
    assert paste.gate.cursor == (2, 1)


def test_the_submit_key_is_gated_on_our_own_paste() -> None:
    """A compare-and-set: a press that was done cannot be done again."""
    effects = climb(demo(), [composer(), composer("hello"), SENT])
    press = next(effect for effect in effects if isinstance(effect, Press))
    assert (press.key, press.marker, press.gate.marker) == ("Enter", "m-1:submitted:3", "m-1:pasted:3")
    assert press.gate.hides == DEMO.dialogs
    assert press.gate.cursor == (7, 1)


def test_the_pause_grows_with_the_text() -> None:
    """A large paste is still being read when its end shows."""
    pauses = [
        next(e.seconds for e in climb(demo(text), [composer(), composer(shown), SENT]) if isinstance(e, Wait))
        for text, shown in (("hello", "hello"), ("x" * 102400, "[Pasted 102400 bytes]"))
    ]
    assert pauses[1] - pauses[0] == pytest.approx(100 * DEMO.deliver.pause_s_per_kib, rel=0.01)


@pytest.mark.parametrize(
    ("obstacle", "reason"),
    [
        (dialog(), "a dialog waits for an answer"),
        (composer("hm"), "the composer holds an unsent draft"),
        (composer(cursor=(5, 1)), "the composer holds an unsent draft"),
        (composer(in_mode=True), "a person is looking at the pane in copy mode"),
        (terminal("$ "), "no composer is on the screen"),
    ],
)
def test_what_stands_in_the_way_is_said_once_and_waited_for(obstacle: ScreenSeen, reason: str) -> None:
    """No key while it stands there, no polling, and the reason is journaled once."""
    effects = climb(demo(), [obstacle, obstacle, composer(), composer("hello"), SENT])
    assert story(effects) == [f"Hold {reason}", *WHOLE_WAY]
    assert [e.within_s for e in effects if isinstance(e, ReadScreen)][:3] == [0.0, None, None]


def test_a_gate_that_refuses_is_tried_again_less_and_less_often() -> None:
    """A screen that always changes between look and paste does not make us spin."""
    reads = [
        e.within_s
        for e in climb(demo(), [composer()] * 12, refuse=lambda effect: isinstance(effect, Paste))
        if isinstance(e, ReadScreen) and e.within_s
    ]
    assert reads == sorted(reads)
    assert reads[-1] == 5.0


def test_a_dialog_that_opens_after_the_paste_holds_the_submit_key() -> None:
    """The text stays where it is until the question is answered."""
    told = story(climb(demo(), [composer(), dialog(), dialog(), composer("hello"), SENT]))
    assert told == ["Paste", "Hold a dialog waits for an answer", *WHOLE_WAY[1:]]


def test_a_draft_typed_behind_the_text_holds_the_submit_key() -> None:
    """What a person types is not sent for them."""
    told = story(climb(demo(), [composer(), composer("hello and more"), composer("hello"), SENT]))
    assert told == ["Paste", "Hold the composer holds more than the message", *WHOLE_WAY[1:]]


def test_a_program_that_paints_nothing_is_waited_for_until_the_text_was_due() -> None:
    """Then the message is unverified: pasting again could double it."""
    told = story(climb(demo(), [composer(), composer(at=0.0), composer(at=9.0), composer(at=9.0)]))
    assert told == ["Paste", "Advance unverified", "Done unverified"]


def test_text_that_somebody_else_submitted_is_taken_in() -> None:
    """The transcript shows it though our key was never pressed."""
    sent = composer(transcript=("> hello",), at=9.0)
    told = story(climb(demo(), [composer(), composer(at=0.0), sent, sent]))
    assert told == ["Paste", "Advance taken_in", "Done taken_in"]


def test_an_older_message_of_the_same_words_proves_nothing() -> None:
    """Only one entry more than before is evidence."""
    before = composer(transcript=("> hello",))
    shown = composer("hello", transcript=("> hello",))
    assert story(climb(demo(), [before, shown, before]))[-2:] == ["Advance submitted", "Done submitted"]


def test_a_busy_agents_queue_is_evidence_of_its_own() -> None:
    """The footer says that the message is kept."""
    kept = composer(footer="esc to interrupt · 1 queued")
    effects = climb(demo(), [composer(), composer("hello"), kept])
    assert Advance(rung=Rung.SUBMITTED, evidence="the agent keeps it in its queue") in effects


def test_text_that_stays_gets_one_more_key_after_its_time() -> None:
    """Some programs take the first Enter for part of the paste."""
    late = DEMO.deliver.taken_within_s + 0.1
    screens = [composer(), composer("hello"), composer("hello", at=0), composer("hello", at=late), SENT]
    effects = climb(demo(), screens)
    assert [e.marker for e in effects if isinstance(e, Press)] == ["m-1:submitted:3", "m-1:resubmitted:3"]
    assert effects[-1] == Done(rung=Rung.TAKEN_IN)


def test_other_text_in_the_composer_after_the_key_is_unverified() -> None:
    """A completion may have changed it: no second key is pressed into what we did not write."""
    screens = [composer(), composer("hello"), composer("README.md", at=0), composer("README.md", at=9)]
    effects = climb(demo(), screens)
    assert sum(isinstance(e, Press) for e in effects) == 1
    assert effects[-1] == Done(rung=Rung.UNVERIFIED)


def test_a_dialog_over_the_composer_after_the_key_is_waited_for() -> None:
    """It hides whether the text has left; the answer shows it."""
    told = story(climb(demo(), [composer(), composer("hello"), dialog(at=0), dialog(at=9), composer(at=10)]))
    assert told[3:] == [
        "Press",
        "Hold submit key pressed; a dialog waits for an answer",
        "Advance submitted",
        "Done submitted",
    ]


def test_a_second_key_is_kept_from_a_dialog_too() -> None:
    """Only while the text itself still stands there."""
    screens = [composer(), composer("hello"), dialog(at=0), dialog(at=9), composer("hello", at=10), SENT]
    assert sum(isinstance(e, Press) for e in climb(demo(), screens)) == 1


# --- taking up where another one stopped ------------------------------------------------------------------------------


def resumed(marker: str, screens: Screens, rung: Rung = Rung.ACCEPTED) -> list[str]:
    """What a new supervisor's ladder does."""
    return story(climb(demo(marker=marker, rung=rung), screens))


def test_pasted_into_this_process_goes_on_with_the_submit_key() -> None:
    """The text is in the composer already."""
    assert resumed("m-1:pasted:3", [composer("hello"), composer()]) == [
        "Advance staged",
        "Wait",
        "Press",
        "Advance submitted",
        "Done submitted",
    ]


def test_submitted_to_this_process_is_only_looked_at() -> None:
    """No key."""
    assert resumed("m-1:submitted:3", [composer()], Rung.STAGED) == ["Advance submitted", "Done submitted"]


def test_pasted_into_another_process_is_sent_again() -> None:
    """The text died with its composer."""
    told = resumed("m-1:pasted:2", [composer(), composer("hello"), SENT], Rung.STAGED)
    assert told == ["Hold the agent ended before the message was submitted: it is sent again", *WHOLE_WAY]


@pytest.mark.parametrize("stage", ["submitted", "resubmitted"])
def test_submitted_to_another_process_is_settled_without_a_look(stage: str) -> None:
    """A message that may have been taken in is never sent to the next process."""
    assert resumed(f"m-1:{stage}:2", [], Rung.STAGED) == ["Advance submitted", "Done submitted"]


def test_staged_without_a_marker_is_unverified() -> None:
    """The pane was lost when the key may have been pressed."""
    assert resumed("", [], Rung.STAGED) == ["Advance unverified", "Done unverified"]


def test_the_marker_of_another_message_is_passed_over() -> None:
    """It belongs to the one before."""
    assert resumed("m-0:submitted:3", [composer(), composer("hello"), SENT]) == WHOLE_WAY


def test_a_ladder_dropped_before_it_pasted_is_untouched() -> None:
    """Only then may the message expire."""
    ladder = demo()
    assert ladder.untouched
    assert ladder.begin() == ReadScreen()
    assert ladder.untouched
    assert isinstance(ladder.answer(composer()), Paste)
    assert not ladder.untouched
    ladder.answer(False)
    assert ladder.untouched


def test_misuse_is_refused() -> None:
    """A ladder begins once and is over once."""
    ladder = demo(marker="m-1:submitted:2")
    with pytest.raises(DeliveryError):
        ladder.answer(None)
    assert isinstance(ladder.begin(), Advance)
    with pytest.raises(DeliveryError):
        ladder.begin()
    assert ladder.answer(None) == Done(rung=Rung.SUBMITTED)
    with pytest.raises(DeliveryError):
        ladder.answer(None)
    assert "m-1" in repr(ladder)


# --- kinds of which only the echo is seen ----------------------------------------------------------------------------


def echo(kind: str, text: str = "make test", marker: str = "", sent: MessageView | None = None) -> Ladder:
    """A ladder into a shell or a command."""
    return Ladder(KINDS[kind], sent or message(1, text), incarnation="3", marker=marker, foreground="bash")


def test_a_shell_gets_its_message_at_an_empty_prompt() -> None:
    """Gated on the shell in the foreground and the cursor at the prompt; the echo, then its leaving, proves it."""
    screens = [terminal("~ $ "), terminal("~ $ make test"), terminal("~ $ make test", "")]
    effects = climb(echo("shell"), screens)
    assert story(effects) == ["Paste", "Advance staged", "Wait", "Press", "Advance submitted", "Done submitted"]
    paste = next(e for e in effects if isinstance(e, Paste))
    assert (paste.gate.foreground, paste.gate.cursor) == ("bash", (4, 0))


def test_a_half_typed_command_is_not_completed() -> None:
    """It would be run with the message behind it."""
    told = story(climb(echo("shell"), [terminal("~ $ rm -rf "), terminal("~ $ rm -rf ")]))
    assert told == ["Hold no empty prompt is under the cursor"]


def test_a_program_without_echo_is_unverified() -> None:
    """Nothing proves that it read the message; it is not sent twice."""
    told = story(climb(echo("command"), [terminal(), terminal(at=0), terminal(at=1), terminal()]))
    assert told == ["Paste", "Advance staged", "Wait", "Press", "Advance unverified", "Done unverified"]


def test_an_echo_moved_away_by_the_programs_own_output_counts() -> None:
    """``cat`` answers the first line before the second is echoed."""
    screens = [terminal(), terminal("one", "two", "one", ""), terminal("one", "two", "one", "", "two", "")]
    assert story(climb(echo("command", "one\ntwo"), screens))[-1] == "Done submitted"


def test_an_echo_that_stays_is_unverified() -> None:
    """The program reads nothing."""
    screens = [terminal(), *(terminal("make test", at=at) for at in (0, 0, 9))]
    assert story(climb(echo("command"), screens))[-1] == "Done unverified"


def test_copy_mode_holds_a_command_too() -> None:
    """Keys would go to tmux."""
    told = story(climb(echo("command"), [terminal(in_mode=True), terminal(), terminal("make test"), terminal("", "")]))
    assert told[0] == "Hold a person is looking at the pane in copy mode"
    assert told[-1] == "Done submitted"


def test_copy_mode_between_paste_and_key_holds_the_key() -> None:
    """The gate refuses; the key waits for the person."""
    refusals = iter([True, False])
    screens = [terminal(), terminal("make test"), terminal("make test", in_mode=True), terminal("make test")]
    effects = climb(
        echo("command"), [*screens, terminal("", "")], refuse=lambda e: isinstance(e, Press) and next(refusals)
    )
    assert "Hold a person is looking at the pane in copy mode" in story(effects)
    assert story(effects)[-1] == "Done submitted"


@pytest.mark.parametrize(
    ("marker", "screens", "last"),
    [
        ("m-1:submitted:3", [], "Done unverified"),
        ("m-1:pasted:3", [terminal("$ make test"), terminal("$ make test", "$ ")], "Done submitted"),
        ("m-1:pasted:3", [terminal("$ ", at=0), terminal("$ ", at=9)], "Done unverified"),
    ],
)
def test_taking_up_an_echoed_delivery(marker: str, screens: Screens, last: str) -> None:
    """Nothing is typed again."""
    told = story(climb(echo("shell", marker=marker), screens))
    assert told[-1] == last
    assert "Paste" not in told
