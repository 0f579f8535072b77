"""The import budget names the chain that leads to what should not be there."""

from perf.harness.importing import chain, offences

IMPORTERS = {
    "tmuxorc.cli": "__main__",
    "tmuxorc.cli._main": "tmuxorc.cli",
    "tmuxorc.cli.render": "tmuxorc.cli._main",
    "json": "tmuxorc.cli.render",
    "json.decoder": "json",
}


def test_the_chain_runs_from_the_program_to_the_module():
    assert chain("json", IMPORTERS) == ["tmuxorc.cli", "tmuxorc.cli._main", "tmuxorc.cli.render", "json"]


def test_a_forbidden_module_is_named_with_its_chain():
    assert list(offences(IMPORTERS)) == ["imports json: tmuxorc.cli → tmuxorc.cli._main → tmuxorc.cli.render → json"]


def test_modules_that_import_each_other_do_not_go_round_for_ever():
    assert chain("a", {"a": "b", "b": "a"}) == ["b", "a"]


def test_too_many_modules_are_an_offence():
    (offence,) = offences({f"tmuxorc.m{n}": "__main__" for n in range(1000)})
    assert "1000 modules" in offence
