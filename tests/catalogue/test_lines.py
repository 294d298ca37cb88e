"""The line of a finding, however the file is written."""

from pathlib import Path

import pytest

from gateway.catalogue.lines import line_of, lines_of, located, not_toml
from gateway.catalogue.load import load_file
from gateway.errors import CatalogueError

TEXT = '''format = 1
key = "x" # [not.a.table]

[[config]]
key = "a"
[[config]]
key = "b"
description = """
[not.a.table]
x = 1
"""
[defaults]
"event.objcts" = 'a # = [b]'
[methods.a]
query = { x = { type = "q" }, 'y.z' = [
  { a = 1 },
  { b = [1, 2] }, # ]
] }
"dotted key".b.c = 1979-05-27T07:32:00Z
[webhook]
type = "{body:type}"
[[webhook.verify]]
scheme = "hmac"
[webhook.verify.body_digest]
hash = "x"
[[webhook.verify]]
tolerance = "5m"
  when = { header.x = "*", "body" = { n = -1.5 } }
'''
WHERE = {
    "key": 2,
    "config[0].key": 5,
    "config[1].key": 7,
    "config[1].description": 8,
    "defaults.event.objcts": 13,
    "methods.a": 14,
    "methods.a.query.x.type": 15,
    "methods.a.query.y.z[0].a": 16,
    "methods.a.query.y.z[1].b[1]": 17,
    "methods.a.dotted key.b.c": 19,
    "webhook.type": 21,
    "webhook.verify[0].scheme": 23,
    "webhook.verify[0].body_digest.hash": 25,
    "webhook.verify[1]": 26,
    "webhook.verify[1].when.header.x": 28,
    "webhook.verify[1].when.body.n": 28,
}
NEAREST = {
    "version": 1,
    "": 1,
    "webhook.verify[0].if": 22,
    "webhook.verify[7].if": 22,
    "webhook.handshake[0].when": 20,
    "methods.a.request": 14,
    "methods.b.request": 1,
    "config.base.url": 4,
    "defaults": 12,
}


@pytest.mark.parametrize("place", WHERE)
def test_a_key_stands_in_its_line(place: str) -> None:
    found = lines_of(TEXT)
    assert found[place] == line_of(found, place) == WHERE[place]


@pytest.mark.parametrize("place", NEAREST)
def test_what_is_missing_stands_where_its_nearest_table_does(place: str) -> None:
    assert line_of(lines_of(TEXT), place) == NEAREST[place]


@pytest.mark.parametrize(
    "text", ["", "[", "a = ", "= 1", "[[a", 'a = """', "a = [", "a = {", "]", "\ufffd", "a.b.", "a = [1,,{"]
)
def test_a_text_that_is_no_toml_has_lines_all_the_same(text: str) -> None:
    assert line_of(lines_of(text), "a.b") >= 1


def test_a_large_file_is_read_in_one_go() -> None:
    many = "".join(f'[[config]]\nkey = "{n}"\nname = """\n{"x" * 50}\n"""\n' for n in range(5_000))
    assert lines_of(many)["config[4999].name"] == 5 * 4999 + 3


def test_findings_are_told_with_file_and_line(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text(TEXT)
    assert located(file, ["webhook.type: is wrong: really"]) == [f"{file}:21: webhook.type: is wrong: really"]
    assert located(tmp_path / "none.toml", ["a: is wrong"]) == [f"{tmp_path / 'none.toml'}:1: a: is wrong"]


def test_the_line_of_the_parser_is_kept() -> None:
    file = Path("x.toml")
    assert not_toml(file, b"", ValueError("Bad (at line 7, column 2)")).startswith("x.toml:7: is no TOML: Bad")
    assert not_toml(file, b"", ValueError("Bad")) == "x.toml: is no TOML: Bad"


def test_a_text_that_ends_too_early_or_is_no_text_is_wrong_in_the_line_where_that_shows(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    for raw, expected in ((b"a = 1\nb = [", ":2: is no TOML: "), (b"a = 1\nb = 2\nc = \xff", ":3: is no UTF-8: ")):
        file.write_bytes(raw)
        with pytest.raises(CatalogueError, match=expected):
            load_file(file)
