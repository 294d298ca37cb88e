"""Which of a vendor's headers reach a caller."""

from gateway.calls.passing import length_of, passed_on


def test_what_belongs_to_one_connection_or_one_host_is_kept_back() -> None:
    headers = {
        "content-type": "text/csv",
        "content-disposition": 'attachment; filename="a.csv"',
        "etag": '"1"',
        "x-request-id": "7",
        "link": "<https://x>; rel=next",
        "connection": "close, X-Secret-Hop",
        "x-secret-hop": "1",
        "keep-alive": "timeout=5",
        "transfer-encoding": "chunked",
        "content-length": "12",
        "set-cookie": "session=1",
        "www-authenticate": "Basic",
        "strict-transport-security": "max-age=1",
        "access-control-allow-origin": "*",
        "location": "https://elsewhere.example",
    }
    assert [*passed_on(headers)] == ["content-type", "content-disposition", "etag", "x-request-id", "link"]


def test_a_compression_that_was_undone_is_not_told_and_another_is() -> None:
    assert passed_on({"content-encoding": "GZip"}) == {}
    assert passed_on({"content-encoding": "br"}) == {"content-encoding": "br"}


def test_a_length_is_told_where_it_is_that_of_the_body() -> None:
    assert length_of({"content-length": "12"}) == 12
    assert length_of({"content-length": "12", "content-encoding": "gzip"}) is None
    assert [length_of({"content-length": text}) for text in ("-1", "12, 12", "", "9" * 19)] == [None] * 4
    assert length_of({}) is None
