"""Which addresses a request may name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.proofs.pinned import host_of, is_pinned

HOSTS = ("api.vendor.example", "sns.*.amazonaws.example")


@pytest.mark.parametrize(
    "url",
    [
        "https://api.vendor.example/cert.pem",
        "https://API.Vendor.Example/cert.pem?x=1",
        "HTTPS://api.vendor.example:443/cert.pem",
        "https://api.vendor.example",
        "https://sns.eu-west-1.amazonaws.example/x.pem",
        "https://api.vendor.example/@evil.example",
    ],
)
def test_an_address_on_a_pinned_host_is_pinned(url: str) -> None:
    assert is_pinned(url, HOSTS)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://api.vendor.example/",
        "//api.vendor.example/",
        "api.vendor.example",
        "https://evil.example/",
        "https://api.vendor.example.evil.example/",
        "https://evil-api.vendor.example/",
        "https://x.api.vendor.example/",
        "https://api.vendor.example./",
        "https://api.vendor.example:8443/",
        "https://api.vendor.example:/",
        "https://api.vendor.example:443443/",
        "https://u@api.vendor.example/",
        "https://u:p@api.vendor.example/",
        "https://api.vendor.example:443@evil.example/",
        "https://api.vendor.example\\@evil.example/",
        "https://evil.example\\.api.vendor.example/",
        "https://evil.example#.api.vendor.example/",
        "https://api.vendor.example#@evil.example/",
        "https://evil.example/?.api.vendor.example",
        "https://api.vendor.example /",
        " https://api.vendor.example/",
        "https://api.vendor.example/\n",
        "https://api.vendor.example/é",
        "https://api.vendor.example/\udcff",
        "https://api.vendor.example\n.evil.example/",
        "https://ápi.vendor.example/",
        "https://api.vendor.example\u3002/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://sns.amazonaws.example/",
        "https://sns.a.b.amazonaws.example/",
        "https://sns..amazonaws.example/",
        "https://sns.*.amazonaws.example/",
        "https://sns.a_b.amazonaws.example/",
        "https://sns.evil.example/.amazonaws.example/",
        "https://sns.x.amazon\u017fws.example/",
        "https://sn\u017f.x.amazonaws.example/",
        "https://api.vendor.example/" + "a" * 3000,
    ],
)
def test_any_other_address_is_not(url: str) -> None:
    assert not is_pinned(url, HOSTS)


def test_a_port_is_part_of_the_host_where_it_is_pinned_so() -> None:
    assert host_of("https://keys.vendor.example:8443/jwks") == "keys.vendor.example:8443"
    assert is_pinned("https://keys.vendor.example:8443/jwks", ("keys.vendor.example:8443",))
    assert not is_pinned("https://keys.vendor.example/jwks", ("keys.vendor.example:8443",))


LABELS = st.text("abcxyz019-*", min_size=1, max_size=4)


@given(st.lists(LABELS, min_size=1, max_size=5), st.lists(LABELS, min_size=1, max_size=5))
def test_a_star_stands_for_exactly_one_label(host: list[str], pattern: list[str]) -> None:
    fits = len(host) == len(pattern) and all(p in ("*", h) for h, p in zip(host, pattern, strict=True))
    expected = fits and not any("*" in label for label in host)
    assert is_pinned(f"https://{'.'.join(host)}/", (".".join(pattern),)) is expected


@given(st.text(max_size=80).map(lambda text: f"https://{text}") | st.text(max_size=80))
def test_any_text_has_an_answer(url: str) -> None:
    host = host_of(url)
    assert host is None or url.lower().startswith("https://" + host.partition(":")[0])
    assert is_pinned(url, ("*.example",)) in (True, False)
