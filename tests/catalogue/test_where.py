"""`where`: what is understood is said to the vendor in its words, and what is not is refused by name."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalogue.call_model import Where
from gateway.catalogue.where import Comparison, expressed, parse
from tests.calls.shop import SHOP, access_to

RESOURCE = """
[resources.things]
list = "any_list"
[methods.any_list]
name = "Any"
request = "GET /things"
query = "*"
[resources.things.where]
"""
PLAIN = RESOURCE + '"=" = "{field}={value}"\n">" = "{field}__gt={value}"\nIN = "{field}__in={value}"\n'
SEARCH = (
    RESOURCE
    + """param = "q"
join = " and "
"=" = '{field}:"{value}"'
">" = '{field} > {value}'
LIKE = "{field} like '{value}'"
"""
)


def where_of(folder: Path, text: str) -> Where:
    where = access_to(folder, SHOP + text).connector.resources["things"].where
    assert where is not None
    return where


def asked(where: Where, clause: str) -> list[tuple[str, str]] | str:
    found = parse(clause)
    return found if isinstance(found, str) else expressed(where, found)


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        ("a='x'", [("a", "=", "x")]),
        (" a = 'it''s' AND b<>3 ", [("a", "=", "it's"), ("b", "!=", "3")]),
        ("a.b_c-d >= 2020-01-01T00:00:00Z", [("a.b_c-d", ">=", "2020-01-01T00:00:00Z")]),
        ("a LIKE '%x%' and b like y", [("a", "LIKE", "%x%"), ("b", "LIKE", "y")]),
        ("a IN ('x', 'y z',3)", [("a", "IN", "x,y z,3")]),
        ("a in('x)')", [("a", "IN", "x)")]),
        ("a=''", [("a", "=", "")]),
        ("a='b AND c OR d'", [("a", "=", "b AND c OR d")]),
        ("inner='1'", [("inner", "=", "1")]),
    ],
)
def test_a_clause_is_its_comparisons(clause: str, expected: list[tuple[str, str, str]]) -> None:
    assert parse(clause) == tuple(Comparison(*one) for one in expected)


@pytest.mark.parametrize(
    ("clause", "told"),
    [
        ("", "expected field"), ("   ", "expected field"), ("a", "expected field"), ("a=", "expected field"),
        ("a='x", "expected field"), ("a=x'", "expected AND"), ("a='x' b='y'", "expected AND"),
        ("a='x' OR b='y'", "OR is not supported"), ("a='x'or b='y'", "OR is not supported"),
        ("(a='x')", "expected field"), ("a=('x')", "a value such as"), ("a IN 'x'", "a list such as"),
        ("a IN ()", "a list such as"), ("a IN ('x' OR 'y')", "a list such as"), ("a IN ('x','y',)", "a list such as"),
        ("a IN ('x,y')", "a list such as"), ("a IN ('x' 'y')", "a list such as"), ("a = OR", "a value such as"),
        ("a='x' AND", "ends with AND"), ("a='x' AND AND b='y'", "expected field"),
        ("a==or", "expected field"), ("NOT a='x'", "expected field"), ("or='x'", "expected field"),
        ("a IS NULL", "expected field"), ("é='x'", "expected field"),
        (" AND ".join(["a=1"] * 21), "more than 20"), ("a='" + "x" * 5000 + "'", "longer than"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused(clause: str, told: str) -> None:
    found = parse(clause)
    assert isinstance(found, str)
    assert told in found


@given(st.text(max_size=200))
def test_no_text_is_an_accident(text: str) -> None:
    parse(text)


_PARTS = st.sampled_from(
    ["a", "b", " ", "=", "<>", "'", "''", "'x'", "(", ")", ",", " AND ", " OR ", "or", "IN", "LIKE", "('x','y')", "1"]
)


@given(st.lists(_PARTS, max_size=16).map("".join))
def test_an_or_outside_of_quotes_is_never_accepted(clause: str) -> None:
    found = parse(clause)
    if isinstance(found, str):
        return
    bare = re.sub(r"'(?:[^']|'')*'", "''", clause)
    assert not re.search(r"(?:^|(?<=[\s')]))OR(?=[\s'(]|$)", bare, re.IGNORECASE)
    # Nothing is left out: every quote of the clause is in a value.
    assert sum(value.value.count("'") for value in found) == sum(
        literal[1:-1].count("''") for literal in re.findall(r"'(?:[^']|'')*'", clause)
    )


@given(st.text(max_size=60))
def test_a_quoted_value_comes_out_as_it_went_in(value: str) -> None:
    assert parse("a = '" + value.replace("'", "''") + "'") == (Comparison("a", "=", value),)


@pytest.mark.parametrize("clause", ["a IN (" + "''" * 2000, "a='" + "''" * 2000, "a" * 4000, "a " * 2000, " " * 4000])
def test_a_clause_made_to_be_slow_is_not(clause: str) -> None:
    assert isinstance(parse(clause), str)


def test_comparisons_become_parameters(tmp_path: Path) -> None:
    where = where_of(tmp_path, PLAIN)
    assert asked(where, "a='x=y&z' AND b>3 AND c IN (1,2)") == [("a", "x=y&z"), ("b__gt", "3"), ("c__in", "1,2")]
    assert asked(where, "a<3") == "a < cannot be asked here; comparisons that can: = > IN"


def test_comparisons_become_one_expression_that_a_value_cannot_leave(tmp_path: Path) -> None:
    where = where_of(tmp_path, SEARCH)
    assert asked(where, "a='x\"\\' AND b>3") == [("q", 'a:"x\\"\\\\" and b > 3')]
    for clause in ("b > '1 or c:2'", "b>'1\"'", "a LIKE 'x'' or 1=1'", "a LIKE '\\'"):
        assert "holds characters that cannot be asked for" in str(asked(where, clause)), clause
