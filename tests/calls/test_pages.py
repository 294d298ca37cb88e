"""Lists page by page, in every way that vendors have, and none of them for ever."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls.model import Access, Rendered, Unsent
from gateway.calls.pages import Place, first, following, links, turned
from gateway.catalogue.call_model import Pagination
from gateway.catalogue.sources import Sources
from tests.calls.shop import SHOP, access_to

CALL = Rendered(verb="GET", url="https://api.shop.example/v1/things/", query=(("state", "on"), ("since", "5")))


def paged(folder: Path, text: str) -> tuple[Access, Pagination]:
    access = access_to(folder, SHOP + f"[pagination.p]\n{text}\n")
    return access, access.connector.pagination["p"]


def answer(body: Any = None, **headers: str) -> Sources:
    return Sources(raw=orjson.dumps(body), headers=headers)


def asked(access: Access, paging: Pagination, place: Place | None) -> dict[str, str]:
    assert place is not None
    call = turned(access, paging, CALL, place)
    assert isinstance(call, Rendered)
    return dict(call.query)


def test_offsets_go_on_by_what_was_read(tmp_path: Path) -> None:
    access, paging = paged(
        tmp_path, 'type = "offset"\noffset_param = "skip"\nsize_param = "limit"\nsize = 50\nmore = "body:more"'
    )
    at = first(paging, 20)
    assert asked(access, paging, at) == {"state": "on", "since": "5", "limit": "20"}
    second = following(paging, at, answer({"more": True}), 13, 20)
    assert asked(access, paging, second) == {"state": "on", "since": "5", "limit": "20", "skip": "13"}
    assert second is not None
    assert following(paging, second, answer({"more": False}), 20, 20) is None
    assert following(paging, second, answer({}), 20, 20) is None


def test_a_size_beyond_the_vendor_s_is_brought_down(tmp_path: Path) -> None:
    access, paging = paged(tmp_path, 'type = "page"\nparam = "page"\nsize_param = "per_page"\nsize = 50')
    assert asked(access, paging, first(paging, 1000))["per_page"] == "50"


@pytest.mark.parametrize(("begin", "pages"), [("", ["1", "2", "3"]), ("first = 0", ["0", "1", "2"])])
def test_pages_are_counted_from_where_the_vendor_begins(tmp_path: Path, begin: str, pages: list[str]) -> None:
    access, paging = paged(tmp_path, f'type = "page"\nparam = "page"\nsize_param = "n"\nsize = 2\n{begin}')
    at: Place | None = first(paging, None)
    seen = []
    for count in (2, 2, 1):
        seen.append(asked(access, paging, at)["page"])
        assert at is not None
        at = following(paging, at, answer([]), count, None)
    assert seen == pages
    assert at is None


def test_an_empty_page_is_the_last_even_where_more_is_promised(tmp_path: Path) -> None:
    _, paging = paged(tmp_path, 'type = "offset"\noffset_param = "skip"\nmore = "body:more"')
    assert following(paging, first(paging, None), answer({"more": True}), 0, None) is None


def test_a_cursor_replaces_the_filters_that_the_vendor_does_not_take_beside_it(tmp_path: Path) -> None:
    access, paging = paged(tmp_path, 'type = "cursor"\nparam = "after"\nnext = "body:next"\nomit = ["since"]')
    at = first(paging, None)
    assert asked(access, paging, at) == {"state": "on", "since": "5"}
    assert asked(access, paging, following(paging, at, answer({"next": "c1"}), 1, None)) == {
        "state": "on",
        "after": "c1",
    }
    assert following(paging, at, answer({"next": None}), 1, None) is None
    assert following(paging, at, answer({"next": ""}), 1, None) is None
    assert following(paging, at, answer({"next": {"a": 1}}), 1, None) is None


def test_a_cursor_may_carry_everything(tmp_path: Path) -> None:
    access, paging = paged(tmp_path, 'type = "cursor"\nparam = "after"\nnext = "body:next"\ndrop_params = true')
    assert asked(access, paging, following(paging, first(paging, None), answer({"next": 7}), 1, None)) == {"after": "7"}


def test_a_vendor_that_names_this_page_as_the_next_is_not_read_for_ever(tmp_path: Path) -> None:
    _, paging = paged(tmp_path, 'type = "cursor"\nparam = "after"\nnext = "body:next"')
    second = following(paging, first(paging, None), answer({"next": "c"}), 1, None)
    assert second is not None
    assert following(paging, second, answer({"next": "c"}), 1, None) is None
    _, linked = paged(tmp_path, 'type = "link"')
    page = following(linked, first(linked, None), answer(link='<https://api.shop.example/2>; rel="next"'), 1, None)
    assert page is not None
    assert following(linked, page, answer(link='<https://api.shop.example/2>; rel="next"'), 1, None) is None


@pytest.mark.parametrize("bound", ["max_pages = 5", "max_records = 10"])
def test_a_vendor_that_always_has_more_ends_at_the_bound(tmp_path: Path, bound: str) -> None:
    _, paging = paged(tmp_path, f'type = "cursor"\nparam = "after"\nnext = "body:next"\n{bound}')
    at: Place | None = first(paging, None)
    pages = 0
    while at is not None:
        pages += 1
        at = following(paging, at, answer({"next": f"c{pages}"}), 2, None)
    assert pages == 5


def test_the_address_of_the_next_page_is_taken_as_it_is(tmp_path: Path) -> None:
    access, paging = paged(tmp_path, 'type = "link"')
    header = '<https://api.shop.example/v1/things/?a=%FF&p=2#x>; title="a, b"; rel="last next", <x>; rel=prev'
    place = following(paging, first(paging, None), answer(link=header), 1, None)
    assert place is not None
    call = turned(access, paging, CALL, place)
    assert isinstance(call, Rendered)
    assert (call.url, call.query) == ("https://api.shop.example/v1/things/?a=%FF&p=2", ())


@pytest.mark.parametrize(
    ("next_", "url"),
    [
        ("/v1/more?p=2", "https://api.shop.example/v1/more?p=2"),
        ("?p=2", "https://api.shop.example/v1/things/?p=2"),
        ("https://files.shop.example/x", "https://files.shop.example/x"),
    ],
)
def test_an_address_may_be_relative_or_on_another_host_of_the_connector(tmp_path: Path, next_: str, url: str) -> None:
    access, paging = paged(tmp_path, 'type = "cursor"\nnext = "body:next"')
    place = following(paging, first(paging, None), answer({"next": next_}), 1, None)
    assert place is not None
    assert turned(access, paging, CALL, place) == Rendered(verb="GET", url=url)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/x", "//evil.example/x", "http://api.shop.example/x", "https://api.shop.example:8443/x",
        "https://api.shop.example@evil.example/", "https://api.shop.example\\@evil.example/", "ftp://api.shop.example/",
        "https://169.254.169.254/", "https://[", "https://api.shop.example.evil.example/", "javascript:alert(1)",
    ],
)  # fmt: skip
def test_the_next_page_stays_within_the_hosts_or_the_list_ends(tmp_path: Path, url: str) -> None:
    access, paging = paged(tmp_path, 'type = "link"')
    place = following(paging, first(paging, None), answer(link=f'<{url}>; rel="next"'), 1, None)
    assert place is not None
    found = turned(access, paging, CALL, place)
    assert isinstance(found, Unsent)
    assert found.why == "forbidden"
    assert "next page would leave" in found.message


def test_pages_may_be_asked_for_in_the_body(tmp_path: Path) -> None:
    access, paging = paged(
        tmp_path, 'type = "cursor"\nwhere = "body"\nparam = "after"\nnext = "body:next"\nsize_param = "limit"\nsize = 9'
    )
    call = Rendered(verb="POST", url=CALL.url, body=b'{"filters":[1]}')
    place = following(paging, first(paging, None), answer({"next": "42"}), 1, None)
    assert place is not None
    found = turned(access, paging, call, place)
    assert isinstance(found, Rendered)
    assert orjson.loads(found.body) == {"filters": [1], "limit": 9, "after": "42"}
    assert isinstance(turned(access, paging, Rendered(verb="POST", url=CALL.url, body=b"["), place), Unsent)


def test_a_dotted_name_in_the_body_leads_into_the_object_that_is_there(tmp_path: Path) -> None:
    access, paging = paged(tmp_path, 'type = "cursor"\nwhere = "body"\nparam = "pagination.after"\nnext = "body:next"')
    call = Rendered(verb="POST", url=CALL.url, body=b'{"pagination":{"sort":"asc"}}')
    place = following(paging, first(paging, None), answer({"next": "c"}), 1, None)
    assert place is not None
    found = turned(access, paging, call, place)
    assert isinstance(found, Rendered)
    assert orjson.loads(found.body) == {"pagination": {"sort": "asc", "after": "c"}}


@given(st.text(alphabet='<>;,="\\ \trelnext/:.', max_size=200))
def test_any_link_header_is_read_in_time(text: str) -> None:
    for address in links(text * 50).values():
        assert "<" not in address


@pytest.mark.parametrize("text", ["<" * 16_000, "<x>" + ";" * 16_000, "<x>" + " " * 16_000, '<x>;a="' * 2_000])
def test_a_link_header_made_to_be_slow_is_not(text: str) -> None:
    links(text)


@given(st.sampled_from(["cursor", "link", "offset", "page", "none"]), st.text(max_size=60), st.integers(0, 5))
def test_whatever_the_vendor_says_is_a_place_or_the_end(kind: str, said: str, count: int) -> None:
    paging = Pagination(
        id="p", type=kind, param="p", where="query", next=None, rel=None, more=None, size_param=None, size=None,
        offset_param="o", first=None, max_pages=3, max_records=None, omit=(), drop_params=False,
    )  # fmt: skip
    found = following(paging, Place(), Sources(headers={"link": said}, raw=said.encode()), count, None)
    assert found is None or found.number == 1
