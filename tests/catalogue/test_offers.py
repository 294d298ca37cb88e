"""What a connector offers, and how a path is found."""

from pathlib import Path

import pytest

from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.offers import Found, NoVerb, Offers, Unknown
from gateway.errors import CatalogueError
from tests.catalogue.connector_file import connector_of

FILE = """
[[config]]
key = "owner"
name = "Owner"
default = "octo"
[methods.list]
request = "GET /repos/{config:owner}/items/"
query = { sort = {}, only = {} }
[methods.get]
request = "GET /repos/{config:owner}/items/{number}"
[methods.me]
request = "GET /items/me"
[methods.deep]
request = "GET /files/{+path}/raw"
[methods.same]
request = "GET /repos/{config:owner}/items"
[methods.notes]
request = "GET /notes"
query = { item = {} }
[resources.items]
list = "list"
get = "get"
order_by = "sort"
fields = "only"
[resources."items/{item}/notes"]
list = "notes"
"""
MINE = ConfigView({"owner": "ada l"})


@pytest.fixture
def offers(tmp_path: Path) -> Offers:
    return Offers(connector_of(tmp_path, FILE))


@pytest.mark.parametrize(
    ("path", "method", "values"),
    [
        ("items", "list", {}),
        ("items/", "list", {}),
        ("items/7", "get", {"number": "7"}),
        ("items/a%2Fb", "get", {"number": "a/b"}),
        ("%69tems/7", "get", {"number": "7"}),
        ("items/me", "me", {}),
        ("items/7/notes", "notes", {"item": "7"}),
        ("repos/ada%20l/items", "list", {}),
        ("repos/ada%20l/items/9", "get", {"number": "9"}),
        ("files/a/b%20c/d/raw", "deep", {"path": "a/b c/d"}),
        ("same", "same", {}),
    ],
)
def test_a_path_finds_its_method_and_the_values_in_it(
    offers: Offers, path: str, method: str, values: dict[str, str]
) -> None:
    found = offers.find("GET", path, MINE)
    assert isinstance(found, Found), found
    assert (found.offer.method.id, dict(found.values)) == (method, values)


@pytest.mark.parametrize(
    "path", ["", "item", "items/7/8", "repos/octo/items", "repos/x/items", "items//7", "x" * 5000, "items/7/notes/8"]
)
def test_other_paths_find_nothing(offers: Offers, path: str) -> None:
    assert isinstance(offers.find("GET", path, MINE), Unknown)


def test_a_known_path_says_which_verbs_it_takes(offers: Offers) -> None:
    assert offers.find("DELETE", "items/7", MINE) == NoVerb(("GET",))


def test_what_looks_most_like_an_unknown_name_is_named(offers: Offers) -> None:
    assert offers.find("GET", "itmes", MINE) == Unknown("; did you mean 'items'?")
    found = offers.find("GET", "zzz", MINE)
    assert isinstance(found, Unknown)
    assert "known are items" in found.hint


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[resources."as/{b}/cs"]\nlist = "a"', "{b} of the resource's name is not known to a"),
        ('[resources."as/"]\nlist = "a"', "expected a name or a path"),
        ('[resources."{b}"]\nlist = "a"', "expected a name or a path"),
        ('[resources.as]\nlist = "a"\norder_by = "sort"', "'sort' is no query parameter of the method that lists"),
        ('[resources.as]\nget = "a"\nfields = "q"', "'q' is no query parameter of the method that lists"),
    ],
)
def test_a_resource_that_its_methods_cannot_keep_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(CatalogueError) as refused:
        connector_of(tmp_path, '[methods.a]\nrequest = "GET /a"\nquery = { q = {} }\n' + text)
    assert told in str(refused.value)
