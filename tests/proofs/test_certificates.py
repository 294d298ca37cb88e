"""Certificates by address: which hosts, dates, names and chains count."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.x509 import load_pem_x509_certificate
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.proofs import certificates
from gateway.proofs.proof import NO_KEYS, Keys, KeySource, Verdict, Wanted
from gateway.proofs.verify import verify
from tests.proofs.signers import EC, NOW, REQUEST, RSA, Authority, Fetched, b64, check, connector, pem, signed, view

URL = "https://sns.eu-west-1.vendor.example/cert.pem"
HOSTS = ("sns.*.vendor.example",)
RULE = """
scheme = "public_key"
algorithm = "rsa"
signature = "header:x-sig"
encoding = "base64"
signed = "{header:x-time}.{raw}"
timestamp = "header:x-time"
tolerance = "5m"
cert_url = "header:x-cert"
cert_hosts = ["sns.*.vendor.example"]
"""
NAMED = RULE + 'cert_names = ["Sign.Vendor.example"]\n'
TRUSTED = NAMED + 'cert_chain = "system"\n'
SIGNATURE = b64(signed(RSA, f"{NOW}.".encode() + REQUEST.body))
AUTHORITY = Authority()
CERTIFICATE = AUTHORITY.signing(RSA)


@pytest.fixture(autouse=True)
def _trust(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A machine that trusts this one authority."""
    roots = tmp_path / "roots.pem"
    roots.write_bytes(AUTHORITY.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(roots))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "nothing"))
    _forget()
    yield
    _forget()


def _forget() -> None:
    certificates._roots.cache_clear()
    certificates._is_trusted.cache_clear()


def _verdict(
    folder: Path, rule: str, text: str | bytes | None, url: str = URL, now: float = NOW, sig: str = SIGNATURE
) -> Verdict:
    headers = {"x-sig": sig, "x-time": str(NOW), "x-cert": url}
    keys: Keys = NO_KEYS if text is None else Fetched().put(url, text)
    return verify(connector(folder, rule), view(), replace(REQUEST, headers=headers), now, keys)


def test_a_certificate_is_wanted_from_a_pinned_host_and_its_key_counts(tmp_path: Path) -> None:
    text = AUTHORITY.signing(RSA)
    assert _verdict(tmp_path, RULE, None) == Wanted(KeySource("certificate", URL, HOSTS))
    assert check(_verdict(tmp_path, RULE, text)) == "verified"
    der = load_pem_x509_certificate(text).public_bytes(serialization.Encoding.DER)
    assert check(_verdict(tmp_path, RULE, der)) == "verified"
    forged = b64(signed(RSA, REQUEST.body))
    assert check(_verdict(tmp_path, RULE, text, sig=forged)) == "signature_mismatch"


@pytest.mark.parametrize(
    "url",
    [
        "https://sns.vendor.example/cert.pem",
        "https://sns.a.b.vendor.example/cert.pem",
        "https://sns.x.vendor.example.evil.example/",
        "http://sns.x.vendor.example/",
        "https://u:p@sns.x.vendor.example/",
        "https://sns.x.vendor.example:444/",
        "https://127.0.0.1/",
        "x",
        "\udcff",
    ],
)
def test_another_address_is_never_asked(url: str, tmp_path: Path) -> None:
    assert check(_verdict(tmp_path, RULE, None, url)) == "certificate_refused"
    assert check(_verdict(tmp_path, RULE, AUTHORITY.signing(RSA), url)) == "certificate_refused"


def test_nobody_is_asked_for_a_delivery_that_is_too_old_or_unsigned(tmp_path: Path) -> None:
    assert check(_verdict(tmp_path, RULE, None, now=NOW + 301)) == "timestamp_stale"
    assert check(_verdict(tmp_path, RULE, None, sig="%")) == "signature_mismatch"
    assert check(_verdict(tmp_path, RULE, None, url="")) == "missing_header"


@pytest.mark.parametrize(
    ("begins", "ends", "expected"),
    [
        (NOW - 9, NOW + 9, "verified"),
        (NOW, NOW + 9, "verified"),
        (NOW - 9, NOW, "verified"),
        (NOW - 9, NOW - 1, "certificate_refused"),
        (NOW + 1, NOW + 9, "certificate_refused"),
    ],
)
@pytest.mark.parametrize("rule", [NAMED, TRUSTED])
def test_a_certificate_counts_within_its_dates(
    begins: int, ends: int, expected: str, rule: str, tmp_path: Path
) -> None:
    text = AUTHORITY.signing(RSA, begins=begins, ends=ends)
    assert check(_verdict(tmp_path, rule, text)) == expected


def test_a_certificate_must_carry_a_declared_name(tmp_path: Path) -> None:
    assert check(_verdict(tmp_path, NAMED, AUTHORITY.signing(RSA))) == "verified"
    assert check(_verdict(tmp_path, NAMED, AUTHORITY.signing(RSA, "SIGN.vendor.example", san=False))) == "verified"
    for name in ("other.vendor.example", "sign.vendor.example.evil.example", "*.vendor.example"):
        assert check(_verdict(tmp_path, NAMED, AUTHORITY.signing(RSA, name))) == "certificate_refused"


def test_a_chain_must_lead_to_an_authority_of_this_machine(tmp_path: Path) -> None:
    text, stranger = AUTHORITY.signing(RSA), Authority()
    assert check(_verdict(tmp_path, TRUSTED, text)) == "verified"
    assert check(_verdict(tmp_path, TRUSTED, text + AUTHORITY.pem)) == "verified"
    assert check(_verdict(tmp_path, TRUSTED, stranger.signing(RSA))) == "certificate_refused"
    assert check(_verdict(tmp_path, TRUSTED, stranger.signing(RSA) + stranger.pem)) == "certificate_refused"
    assert check(_verdict(tmp_path, TRUSTED, stranger.signing(RSA) + AUTHORITY.pem)) == "certificate_refused"
    assert check(_verdict(tmp_path, TRUSTED, stranger.signing(RSA) + text)) == "certificate_refused"
    assert check(_verdict(tmp_path, NAMED, stranger.signing(RSA))) == "verified"


def test_the_roots_may_lie_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "01234567.0").write_bytes(AUTHORITY.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "no such file"))
    monkeypatch.setenv("SSL_CERT_DIR", str(folder))
    assert check(_verdict(tmp_path, TRUSTED, AUTHORITY.signing(RSA))) == "verified"


def test_a_machine_that_trusts_nobody_accepts_no_chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "no such file"))
    assert check(_verdict(tmp_path, TRUSTED, AUTHORITY.signing(RSA))) == "certificate_refused"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"x",
        b"\xff",
        pem(RSA),
        AUTHORITY.signing(RSA)[:-40],
        AUTHORITY.signing(RSA).replace(b"M", b"%", 1),
        AUTHORITY.signing(RSA) + b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
        b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----",
        b"-----BEGIN CERTIFICATE-----" * 1000,
        AUTHORITY.signing(EC),
    ],
)
def test_what_is_no_certificate_of_such_a_key_is_refused(text: bytes | str, tmp_path: Path) -> None:
    assert check(_verdict(tmp_path, RULE, text)) == "certificate_refused"


@given(st.binary(max_size=200) | st.integers(0, 900).map(lambda n: CERTIFICATE[:n] + b"A" + CERTIFICATE[n + 1 :]))
def test_nothing_that_an_address_answers_makes_it_fail(tmp_path_factory: pytest.TempPathFactory, text: bytes) -> None:
    assert check(_verdict(tmp_path_factory.getbasetemp(), TRUSTED, text)) != "wanted"
