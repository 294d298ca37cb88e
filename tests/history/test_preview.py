"""What the null filter takes out, as pointers, and what a changed setting would have made of a payload."""

import copy
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.history.preview import difference
from gateway.nulls import filter_nulls, removed, removed_paths
from tests.delivery.test_nulls import DOCUMENTS, SPACES, without_nulls


def taken_out(document: Any, pointer: str) -> None:
    """Remove what a JSON pointer names."""
    *way, last = (step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])
    for step in way:
        document = document[int(step)] if isinstance(document, list) else document[step]
    assert document.pop(last) is None


@given(DOCUMENTS, SPACES, st.booleans())
def test_removing_what_the_pointers_name_is_what_the_filter_does(document: Any, space: str, ascii_only: bool) -> None:
    text = json.dumps(document, separators=(space + ",", ":" + space), ensure_ascii=ascii_only)
    pointers, count = removed_paths(text.encode())
    assert len(pointers) == len(set(pointers)) == count
    rest = copy.deepcopy(document)
    for pointer in pointers:
        taken_out(rest, pointer)
    assert rest == without_nulls(document) == json.loads(filter_nulls(text.encode()))


def test_pointers_are_written_as_rfc_6901_has_them() -> None:
    text = rb'{"a/b":null,"m~n":{"":null},"\u00e9\"":[0,{"x":null}],"k":[null]}'
    assert removed_paths(text) == (["/a~1b", "/m~0n/", '/é"/1/x'], 3)


def test_only_so_many_pointers_are_written_but_all_are_counted() -> None:
    text = json.dumps([{"a": None}] * 1_500).encode()
    pointers, count = removed_paths(text)
    assert (len(pointers), count) == (1_000, 1_500)
    assert pointers[-1] == "/999/a"


def test_a_key_that_is_no_text_is_shown_as_far_as_it_is_one() -> None:
    assert removed_paths(b'{"\\ud800x":null}') == (["/?x"], 1)


def test_people_are_told_the_same_places() -> None:
    text = b'{"data":{"contacts":[1,{"phone":null}]},"x":null}'
    assert removed(text) == ["data.contacts[1].phone", "x"]


@given(DOCUMENTS, st.booleans(), st.booleans())
def test_two_settings_differ_where_the_bytes_would(document: Any, now: bool, then: bool) -> None:
    payload = json.dumps(document).encode()
    found = difference("e", payload, filtered_now=now, filtered_then=then)
    sizes = {True: len(filter_nulls(payload)), False: len(payload)}
    assert (found.now.size, found.then.size) == (sizes[now], sizes[then])
    assert found.changes is (now is not then and filter_nulls(payload) != payload)
    assert (found.now.count > 0) is (now and filter_nulls(payload) != payload)
