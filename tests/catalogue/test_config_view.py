"""How an instance's values are read."""

import pytest

from gateway.catalogue.config_view import ConfigView


@pytest.mark.parametrize(
    ("stored", "previous", "expected"),
    [
        ("one", (), ("one",)),
        ("", (), ()),
        (None, (), ()),
        ('["new", "old"]', (), ("new", "old")),
        ('["new", ""]', ("", "older"), ("new", "older")),
        ("one", ("before",), ("one", "before")),
        (None, ("before",), ("before",)),
        ("one", ('["a", ""]', "b", "[1]"), ("one", "a", "b", "[1]")),
        ("[not a list", (), ("[not a list",)),
        ("[1, 2]", (), ("[1, 2]",)),
        ("[]", (), ()),
        ("[" * 5000, (), ("[" * 5000,)),
    ],
)
def test_secrets_are_listed_newest_first_and_never_empty(
    stored: str | None, previous: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    values = {} if stored is None else {"key": stored}
    assert ConfigView(values, {"key": previous}).secrets("key") == expected


def test_a_value_is_there_or_none() -> None:
    assert ConfigView({"a": ""}).get("a") == ""
    assert ConfigView({}).get("a") is None
