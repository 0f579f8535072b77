"""The log file by itself."""

import errno
import json
import logging
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tmuxorc.daemon.log import LogFile


@contextmanager
def logger(path: Path, *, max_bytes: int = 100_000, backups: int = 2) -> Iterator[logging.Logger]:
    """A logger that writes to `path` alone."""
    handler = LogFile(str(path), max_bytes=max_bytes, backups=backups)
    log = logging.getLogger("tmuxorc.test")
    log.propagate, log.level = False, logging.INFO
    log.addHandler(handler)
    try:
        yield log
    finally:
        log.removeHandler(handler)
        handler.close()


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines() if line]


def test_a_record_is_one_line_of_json_with_its_extra_data(tmp_path: Path) -> None:
    with logger(path := tmp_path / "log") as log:
        log.info("it %s\nwent", "well", extra={"agent": "main/ä", "odd": {1, 2}.__class__})
    [entry] = read(path)
    assert entry.pop("at").endswith("+00:00")
    odd = "<class 'set'>"
    assert entry == {
        "level": "info",
        "logger": "tmuxorc.test",
        "message": "it well\nwent",
        "agent": "main/ä",
        "odd": odd,
    }


def test_a_traceback_is_in_the_record(tmp_path: Path) -> None:
    with logger(path := tmp_path / "log") as log:
        log.error("failed", exc_info=ExceptionGroup("several", [ValueError("one"), KeyError("two")]))
    assert "ValueError: one" in read(path)[0]["traceback"]


def test_text_that_is_not_unicode_does_no_harm(tmp_path: Path) -> None:
    with logger(path := tmp_path / "log") as log:
        log.info("bad \udcff", extra={"at\udcff": "\ud800"})
    assert "udcff" in path.read_text()


def test_the_log_is_rotated_at_its_size_and_only_so_many_are_kept(tmp_path: Path) -> None:
    with logger(tmp_path / "log", max_bytes=1000, backups=2) as log:
        for number in range(50):
            log.info("record %d", number)
    assert sorted(os.listdir(tmp_path)) == ["log", "log.1", "log.2"]
    kept = [entry["message"] for name in ("log.2", "log.1", "log") for entry in read(tmp_path / name)]
    assert kept == [f"record {number}" for number in range(50 - len(kept), 50)]
    assert all((tmp_path / name).stat().st_size <= 1000 for name in os.listdir(tmp_path))


def test_without_backups_the_log_starts_over(tmp_path: Path) -> None:
    with logger(path := tmp_path / "log", max_bytes=1000, backups=0) as log:
        for number in range(50):
            log.info("record %d", number)
    assert os.listdir(tmp_path) == ["log"]
    assert read(path)[-1]["message"] == "record 49"


def test_a_record_longer_than_the_limit_is_written_all_the_same(tmp_path: Path) -> None:
    with logger(path := tmp_path / "log", max_bytes=1000) as log:
        log.info("x" * 5000)
        log.info("next")
    assert [entry["message"] for entry in read(path)] == ["next"]
    assert len(read(tmp_path / "log.1")[0]["message"]) == 5000


def test_it_goes_on_where_an_earlier_process_ended(tmp_path: Path) -> None:
    for word in ("first", "second"):
        with logger(path := tmp_path / "log") as log:
            log.info(word)
    assert [entry["message"] for entry in read(path)] == ["first", "second"]


@contextmanager
def disk_limit(size: int) -> Iterator[None]:
    """No file may grow beyond `size` bytes, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_loses_records_and_says_how_many(tmp_path: Path) -> None:
    assert signal.getsignal(signal.SIGXFSZ) == signal.SIG_IGN
    with logger(path := tmp_path / "log") as log:
        log.info("before")
        with disk_limit(path.stat().st_size + 10):
            log.info("lost")
            log.info("lost too")
        log.info("after")
    text = path.read_text().splitlines()
    assert [json.loads(text[0])["message"], json.loads(text[-1])["message"]] == ["before", "after"]
    assert json.loads(text[-2]) == {"records_lost": 2}


def test_a_directory_that_cannot_be_written_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=os.strerror(errno.ENOTDIR)):
        LogFile(str(tmp_path / "file" / "log"), max_bytes=1, backups=0)


def test_a_log_that_somebody_removed_begins_anew_at_its_size(tmp_path: Path) -> None:
    with logger(path := tmp_path / "log", max_bytes=500) as log:
        log.info("seen by nobody")
        path.unlink()
        for number in range(20):
            log.info("record %d", number)
    assert read(path)[-1]["message"] == "record 19"


def test_a_rotation_that_fails_half_way_is_made_up_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With no file descriptor left, for instance; what is in the older logs is not rotated away meanwhile."""

    def no_more(*_: object) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    with logger(path := tmp_path / "log", max_bytes=500, backups=3) as log:
        log.info("x" * 300)
        log.info("y" * 300)
        with monkeypatch.context() as patch:
            patch.setattr(os, "open", no_more)
            for _ in range(5):
                log.info("z" * 300)
        log.info("after")
    assert read(path)[-1]["message"] == "after"
    assert [read(tmp_path / name)[0]["message"][:1] for name in ("log.2", "log.1")] == ["x", "y"]


def test_a_record_that_cannot_be_put_into_words_harms_nobody(tmp_path: Path) -> None:
    with logger(path := tmp_path / "log") as log:
        log.info("its data cannot be JSON", extra={"odd": {("a", "tuple"): 1}})
        log.info("after")
    assert read(path)[-1]["message"] == "after"
