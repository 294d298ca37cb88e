"""Bodies as values: names and tags without markup, whatever a caller writes."""

import html
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Invalid
from gateway.provisioning.draft import LONGEST_NAME, MOST_TAGS, plain, read

MARKED = st.text(st.sampled_from(list("<>/&;ab \"'=!-?#xlt")) | st.characters(), max_size=60)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ["element", "connector", "name", "tags", "configuration", "externalAuthentication"]


@given(MARKED)
def test_plain_text_stays_as_it_is_when_read_again(text: str) -> None:
    assert plain(plain(text)) == plain(text)


@given(st.text(st.characters(exclude_characters="<&", exclude_categories=("Cc", "Cs"))))
def test_text_without_markup_is_not_changed(text: str) -> None:
    assert plain(text) == text.strip()


@given(st.integers(0, 12), st.sampled_from(["b", "a href='x'", "script", "img src=x onerror=y", "/p", "svg/onload=x"]))
def test_a_tag_is_gone_however_often_it_is_escaped(layers: int, tag: str) -> None:
    text = f"<{tag}>"
    for _ in range(layers):
        text = html.escape(text)
    assert f"<{tag}" not in plain(f"before {text} after")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<a href='x'>plain text</a>", "plain text"),
        ("a < b & c > d", "a < b & c > d"),
        ("I <3 you", "I <3 you"),
        ("Tom &amp; Jerry", "Tom & Jerry"),
        ("<script>alert(1)</script>x", "x"),
        ("<style>p{}</style>x<!-- y -->", "x"),
        ("a\x00b\x1fc\nd", "abcd"),
        ("  Ünï 漢字 🙂 ", "Ünï 漢字 🙂"),
    ],
)
def test_markup_goes_and_text_stays(text: str, expected: str) -> None:
    assert plain(text) == expected


def test_layers_upon_layers_take_no_time() -> None:
    began = time.perf_counter()
    for nasty in ("&" + "amp;" * 1000, "<" * 4096, "&lt" * 1300, "<a " * 1300, "<!--" * 1000, "</script>" * 450):
        plain(nasty)
    assert time.perf_counter() - began < 2


@given(st.dictionaries(st.sampled_from(FIELDS), VALUES) | VALUES)
def test_any_body_is_a_draft_or_invalid(body: object) -> None:
    try:
        draft = read(body)
    except Invalid:
        return
    assert draft.name is None or 1 <= len(draft.name) <= LONGEST_NAME
    assert len(draft.tags or ()) <= MOST_TAGS


def test_the_same_tag_twice_is_one_and_an_empty_one_is_refused() -> None:
    assert read({"tags": ["a", "<b>a</b>", "b"]}).tags == ("a", "b")
    assert read({"tags": []}).tags == ()
    refused: list[object] = [[""], ["<b></b>"], ["x" * 256], ["x"] * 51, [1], "a", {}]
    for wrong in refused:
        with pytest.raises(Invalid, match="tags"):
            read({"tags": wrong})


def test_a_connector_is_named_by_key_or_id_under_either_word() -> None:
    assert read({"element": {"key": "closeio", "id": 9}}).connector == "closeio"
    assert read({"connector": {"key": "closeio"}}).connector == "closeio"
    assert read({"element": {"key": None, "id": 146}}).connector == 146
    refused: list[object] = ["closeio", {"key": []}, {"id": True}, [], {}]
    for wrong in refused:
        with pytest.raises(Invalid, match="element"):
            read({"element": wrong})
