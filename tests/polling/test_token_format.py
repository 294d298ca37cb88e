"""`mode = "token"` in connector files: what it needs, and what makes no sense."""

from pathlib import Path

import pytest

from gateway.errors import GatewayError
from tests.catalogue.connector_file import connector_of

POLL = """
[http]
base_url = "https://api.files.example"
[[poll]]
name = "entries"
request = "POST /continue"
records = "entries"
id = "id"
type = "entry"
"""
TOKEN = 'token = "cursor"\nfirst_token = "POST /latest"\n'


def test_a_poll_by_token_says_where_the_token_is_and_where_the_first_one_comes_from(tmp_path: Path) -> None:
    text = POLL + TOKEN + 'mode = "token"\nbody = { cursor = "{token}" }\nfirst_token_body = { path = "" }\n'
    [poll] = connector_of(tmp_path, text + 'token_expired = { status = [409], body_contains = "reset" }').polls
    assert poll.token is not None
    assert poll.token.source_text == "cursor"
    assert poll.first_token is not None
    assert (poll.first_token.verb, poll.first_token.path.source_text) == ("POST", "/latest")
    assert poll.token_expired.says(409, b'{"error_summary": "reset/.."}')
    assert not poll.token_expired.says(409, b'{"error_summary": "path/not_found"}')


def test_without_a_word_of_it_a_token_is_forgotten_with_410(tmp_path: Path) -> None:
    [poll] = connector_of(tmp_path, POLL + TOKEN + 'mode = "token"\nquery = { cursor = "{token}" }').polls
    assert [status for status in (400, 404, 409, 410) if poll.token_expired.says(status, b"")] == [410]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('mode = "token"\nbody = { cursor = "{token}" }', "token"),
        (TOKEN + 'mode = "token"', "{token}"),
        (TOKEN + 'updated = "at"', "means nothing without mode"),
        ('updated = "at"\nquery = { since = "{form}" }', "{form}"),
        ('updated = "at"\nquery = { since = "{token}" }', "{token}"),
        (TOKEN + 'mode = "token"\nbody = { cursor = "{token}" }\ntoken_expired = {}', "status"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(tmp_path: Path, more: str, said: str) -> None:
    with pytest.raises(GatewayError) as refused:
        connector_of(tmp_path, POLL + more)
    assert "poll[0]" in str(refused.value)
    assert said in str(refused.value)
