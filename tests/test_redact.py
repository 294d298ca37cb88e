"""Nothing that is kept of a request or an answer shows what opens something, wherever it stood."""

from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import redact
from gateway.redact import MOST_HEADERS, REDACTED, SHORTEST_SECRET, headers, is_telling, query

SECRETS = st.text(min_size=SHORTEST_SECRET, max_size=40).filter(lambda text: text not in REDACTED)
NAMES = st.text(st.characters(codec="ascii", categories=["L", "N", "Pd"]), max_size=20)
AROUND = st.text(max_size=30)


def bytes_of(text: str) -> str:
    """A header as it comes off the wire."""
    return text.encode("utf-8", "surrogatepass").decode("ascii", "surrogateescape")


@given(NAMES, AROUND, SECRETS, AROUND, st.sampled_from([str, bytes_of, quote, quote_plus]))
def test_a_header_that_holds_a_secret_is_not_kept(
    name: str, before: str, secret: str, after: str, written: type[str]
) -> None:
    secret = secret.encode("utf-8", "replace").decode()
    whole = before.encode("utf-8", "replace").decode() + secret + after.encode("utf-8", "replace").decode()
    assert headers([(name, written(whole)), ("Accept", "*/*")], [secret])[0][1] == REDACTED


@given(st.lists(st.tuples(NAMES, AROUND)), SECRETS, st.integers(0, 3), st.sampled_from([quote, quote_plus]))
def test_a_query_shows_no_secret_wherever_it_stands_in_it(
    around: list[tuple[str, str]], secret: str, place: int, written: type[str]
) -> None:
    secret = secret.encode("utf-8", "replace").decode()
    parts = [f"{written(name)}={written(value.encode('utf-8', 'replace').decode())}" for name, value in around]
    holding = [f"x={written(secret)}", f"{written(secret)}=x", written(secret), f"x=1{written(secret)}1"][place]
    kept = query("&".join([*parts, holding, *parts]), [secret])
    if len(parts) < MOST_HEADERS:
        assert REDACTED in kept
    assert written(secret) not in kept.replace(REDACTED, "")


@given(st.text(max_size=2_000), st.integers(0, 2_000))
def test_no_part_of_a_secret_is_left_where_a_value_is_cut(filling: str, length: int) -> None:
    secret = "s3cr3t-" * 20
    for kept in (headers([("X-Long", "a" * length + secret)], [secret])[0][1], query("a" * length + secret, [secret])):
        assert "s3cr3t" not in kept
    assert len(headers([("X-Long", filling)], [secret])[0][1]) <= redact.LONGEST_VALUE


@pytest.mark.parametrize(
    "name",
    [
        *("Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "X-Api-Key", "apikey", "X-Auth", "Api_Key"),
        *("X-Gitlab-Token", "client_secret", "password", "X-Goog-Channel-Token", "access_token", "sig", "pwd"),
    ],
)
def test_what_stands_under_a_telling_name_is_never_kept(name: str) -> None:
    assert headers([(name, "anything")], []) == [(name, REDACTED)]
    assert query(f"{name}=anything&a=1", []) == f"{name}={REDACTED}&a=1"


@pytest.mark.parametrize(
    "name", ["X-GitHub-Event", "X-GitHub-Delivery", "webhook-id", "Content-Type", "User-Agent", "X-Hub-Signature-256"]
)
def test_what_explains_a_delivery_is_kept(name: str) -> None:
    assert not is_telling(name)
    assert headers([(name, "told")], ["some secret"]) == [(name, "told")]


def test_an_escaped_name_is_as_telling_as_a_plain_one() -> None:
    assert query("access%5Ftoken=abc", []) == f"access%5Ftoken={REDACTED}"


def test_a_head_without_end_is_kept_in_part() -> None:
    assert len(headers([(f"X-{number}", "v") for number in range(1_000)], [])) == MOST_HEADERS
    assert query("&".join(f"a{number}=1" for number in range(1_000)), []).count("&") == MOST_HEADERS - 1
