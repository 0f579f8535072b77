"""The gate's own test plants where there still is ground, and judges its own outcome rightly."""

from pathlib import Path

import pytest

from perf.harness.environments import ROOT
from perf.selftest import BURN, DEFECTS, SLOWDOWNS, planted, tables, verdict


@pytest.mark.parametrize("plant", SLOWDOWNS, ids=lambda plant: plant.name)
def test_a_slowdown_is_code_that_compiles(plant, tmp_path: Path):
    copy = planted(ROOT, tmp_path / "copy", plant.file, plant.anchor, plant.code, helper=BURN)
    text = (copy / "src/tmuxorc" / plant.file).read_text(encoding="utf-8")
    compile(text, plant.file, "exec")
    assert plant.code + plant.anchor in text


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_defect_is_code_that_compiles(defect, tmp_path: Path):
    copy = planted(ROOT, tmp_path / "copy", defect.file, defect.anchor, defect.code, helper=defect.helper)
    compile((copy / "src/tmuxorc" / defect.file).read_text(encoding="utf-8"), defect.file, "exec")


def test_code_that_has_changed_is_said_so(tmp_path: Path):
    with pytest.raises(SystemExit, match="has changed"):
        planted(ROOT, tmp_path / "copy", "tmux/_protocol.py", "no such line", "pass\n")


def test_what_falls_short_is_named():
    caught = [("the parser", "25 %", 18, 20, "+25%"), ("the parser", "50 %", 20, 20, "+50%")]
    assert verdict(caught, [("alone", 20, 1, 100.0)]) == ["fewer than 95 % of the slowdowns by a quarter were caught"]
    assert verdict([("a leak", "is there", 19, 20, "+9%")], []) == ["a leak (is there) was missed"]
    assert verdict([("the parser", "25 %", 19, 20, "+25%")], [("busy", 20, 2, 100.0)]) == [
        "2 false alarms in 20 runs: busy"
    ]


def test_the_tables_say_how_often():
    text = tables([("the parser", "25 %", 19, 20, "+24%")], [("alone", 20, 0, 99.6)])
    assert "| the parser | 25 % | +24% | 19 of 20 |" in text
    assert "| alone | 20 | 0 | 100 s |" in text
