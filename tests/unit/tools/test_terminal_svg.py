"""A captured terminal as a picture."""

from xml.etree import ElementTree as ET

from tools.terminal_svg import BACKGROUND, COLOURS, Look, draw, plain, runs

SVG = "{http://www.w3.org/2000/svg}"


def test_every_run_has_its_place_and_its_look() -> None:
    """A look lasts until it is changed, over the ends of lines; gaps of several blanks part runs."""
    captured = "\x1b[1mone  two\x1b[0m\n\x1b[32mgreen\nstill\x1b[39m no \x1b[2;31mred\x1b[22m bright\x1b[m end"
    assert list(runs(captured)) == [
        (0, 0, "one", Look(bold=True)),
        (0, 5, "two", Look(bold=True)),
        (1, 0, "green", Look(2)),
        (2, 0, "still", Look(2)),
        (2, 6, "no", Look()),
        (2, 9, "red", Look(1, dim=True)),
        (2, 13, "bright", Look(1)),
        (2, 20, "end", Look()),
    ]


def test_wide_characters_take_two_columns() -> None:
    assert [(column, text) for _, column, text, _ in runs("日本  x\u0301  y")] == [
        (0, "日本"),
        (6, "x\u0301"),
        (9, "y"),
    ]


def test_looks_that_are_not_known_change_nothing() -> None:
    assert list(runs("\x1b[4;93;48mx")) == [(0, 0, "x", Look(3))]


def test_the_picture_is_xml_and_shows_the_text() -> None:
    picture = ET.fromstring(draw("a < b & c\n\x1b[33mwarning\x1b[0m", "the <title>"))
    texts = picture.findall(f".//{SVG}text")
    assert [text.text for text in texts] == ["a < b & c", "warning"]
    assert texts[1].get("fill") == COLOURS[3]
    assert picture.find(f"{SVG}rect").get("fill") == BACKGROUND  # type: ignore[union-attr]
    assert picture.find(f"{SVG}title").text == "the <title>"  # type: ignore[union-attr]


def test_plain_is_without_looks() -> None:
    assert plain("\x1b[1;31ma\x1b[0m b") == "a b"
