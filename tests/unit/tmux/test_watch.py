"""Who is told what: events in, calls of the watchers out."""

import pytest

from tmuxorc.tmux import (
    ClientsChanged,
    PaneChanged,
    PaneClosed,
    PaneEvent,
    PaneGap,
    PaneModeChanged,
    PaneOutput,
    PaneUnlinked,
    ServerEvent,
    SessionClosed,
    SessionOpened,
    TeamSession,
)
from tmuxorc.tmux._protocol import Notice, Output, Paused, Stray, Subscribed
from tmuxorc.tmux._watch import Watchers

SESSION = TeamSession(session_id="$1", name="main", team="main", windows=1, attached=0)


class Record:
    """A `Watchers` with what it told and asked for."""

    def __init__(self) -> None:
        self.told: list[PaneEvent | ServerEvent] = []
        self.looks = 0
        self.behind: list[str] = []
        self.watchers = Watchers("$0", self._look, self.behind.append)
        self.watchers.watch_server(self.told.append)
        self.watchers.watch("%1", self.told.append)

    def _look(self) -> None:
        self.looks += 1


def test_output_goes_to_its_pane_only():
    record = Record()
    record.watchers.take(Output("%1", rb"a\012"))
    record.watchers.take(Output("%2", b"b"))
    assert record.told == [PaneOutput("%1", rb"a\012")]
    assert record.told[0].data == b"a\n"


def test_watching_looks_once_because_the_pane_may_be_gone():
    assert Record().looks == 1


def test_a_pane_that_fell_behind_has_a_gap_and_is_let_go_on():
    record = Record()
    record.watchers.take(Paused("%1"))
    assert (record.behind, record.told) == (["%1"], [PaneGap("%1")])


def test_a_watcher_that_fails_harms_no_other(caplog: pytest.LogCaptureFixture):
    record = Record()

    def fail(event: PaneEvent | ServerEvent) -> None:
        raise ValueError(event)

    record.watchers.watch("%2", fail)
    record.watchers.watch_server(fail)
    record.watchers.take(Output("%2", b"b"))
    record.watchers.take(Notice("pane-mode-changed", b"%2"))
    record.watchers.compare(record.watchers.panes | set(), {"%1": {"$1"}}, {"$1": SESSION})
    assert record.told == [SessionOpened("$1", "main")]
    assert len(caplog.records) == 4


def test_modes_are_told():
    record = Record()
    record.watchers.take(Notice("pane-mode-changed", b"%1"))
    assert record.told == [PaneModeChanged("%1")]


def test_changes_are_taken_apart_by_length():
    record = Record()
    record.watchers.take(Subscribed("tmuxorc", "%1", b"0 1 7 my prog a title"))
    record.watchers.take(Subscribed("tmuxorc", "%1", b"1 0 0  "))
    record.watchers.take(Subscribed("tmuxorc", "%1", b"nonsense"))
    assert record.told == [
        PaneChanged("%1", dead=False, in_mode=True, command="my prog", title="a title"),
        PaneChanged("%1", dead=True, in_mode=False, command="", title=""),
    ]


def test_hints_lead_to_a_look_and_nothing_else():
    record = Record()
    for name in ("window-close", "unlinked-window-close", "layout-change", "sessions-changed"):
        record.watchers.take(Notice(name, b"@1"))
    record.watchers.take(Stray(b"%window-close"))
    assert (record.looks, record.told) == (5, [])


def test_people_are_told_of_but_our_own_hub_is_not():
    record = Record()
    record.watchers.take(Notice("session-window-changed", b"$0 @4"))
    record.watchers.take(Notice("session-window-changed", b"$1 @4"))
    record.watchers.take(Notice("client-detached", b"/dev/pts/3"))
    assert record.told == [ClientsChanged(), ClientsChanged()]


def test_a_pane_that_is_gone_is_told_once():
    record = Record()
    record.watchers.compare({"%1"}, {"%2": {"$1"}}, {})
    record.watchers.compare({"%1"}, {}, {})
    assert record.told == [PaneClosed("%1")]
    assert not record.watchers.panes


def test_a_pane_watched_after_tmux_was_asked_is_not_missed():
    record = Record()
    record.watchers.compare(set(), {}, {})
    assert record.told == []


def test_a_pane_shown_by_the_hub_alone_is_unlinked_once_until_shown_again():
    record = Record()
    for shown in ({"$0", "$1"}, {"$0"}, {"$0"}, {"$0", "$1"}, {"$0"}):
        record.watchers.compare({"%1"}, {"%1": shown}, {})
    assert record.told == [PaneUnlinked("%1"), PaneUnlinked("%1")]


def test_sessions_come_and_go():
    record = Record()
    for now in ({"$1": SESSION}, {"$1": SESSION}, {}):
        record.watchers.compare(set(), {}, now)
    assert record.told == [SessionOpened("$1", "main"), SessionClosed("$1", "main")]


def test_a_server_watcher_can_leave():
    record = Record()
    told: list[ServerEvent] = []
    leave = record.watchers.watch_server(told.append)
    leave()
    record.watchers.take(Notice("client-detached", b""))
    assert (told, record.told) == ([], [ClientsChanged()])


def test_a_sink_may_unwatch_while_it_is_told():
    watchers = Watchers("$0", lambda: None, lambda _: None)
    watchers.watch("%1", lambda _: watchers.unwatch("%1"))
    watchers.watch("%2", lambda _: None)
    watchers.compare({"%1", "%2"}, {}, {})
    assert not watchers.panes
