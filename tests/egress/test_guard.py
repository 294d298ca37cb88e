"""What the guard lets through, as tables and as properties."""

import ipaddress
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.egress import target
from gateway.egress.guard import Guard
from gateway.egress.target import Target

CLOSED_V4 = [
    "127.0.0.0/8",
    "0.0.0.0/8",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "100.64.0.0/10",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "192.88.99.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "255.255.255.255/32",
    "168.63.129.16/32",
]
CLOSED_V6 = [
    "::/128",
    "::1/128",
    "fe80::/10",
    "fc00::/7",
    "ff00::/8",
    "fd00:ec2::254/128",
    "2001:db8::/32",
    "3fff::/20",
    "100::/64",
    "5f00::/16",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "2002::/16",
    "2001::/32",
    "::ffff:0:0:0/96",
    "::/96",
    "fec0::/10",
    "2001:2::/48",
    "2001:10::/28",
    "2001:20::/28",
    "4000::/3",
]
STRICT = Guard(allow_http=False, allow_networks=[])
PLAIN = Guard(allow_http=True, allow_networks=[])

closed_v4 = st.sampled_from([ipaddress.IPv4Network(cidr) for cidr in CLOSED_V4]).flatmap(
    lambda network: st.integers(int(network[0]), int(network[-1])).map(ipaddress.IPv4Address)
)
closed_v6 = st.sampled_from([ipaddress.IPv6Network(cidr) for cidr in CLOSED_V6]).flatmap(
    lambda network: st.integers(int(network[0]), int(network[-1])).map(ipaddress.IPv6Address)
)


def taken_apart(url: str) -> Target:
    parsed = target.parse(url)
    assert isinstance(parsed, Target), parsed
    return parsed


def _base(value: int, form: str) -> str:
    return {"d": f"{value}", "o": f"0{value:o}", "x": f"{value:#x}", "X": f"0X{value:08X}"}[form]


@st.composite
def spellings(draw: st.DrawFn, addresses: st.SearchStrategy[ipaddress.IPv4Address]) -> str:
    """An IPv4 address as a URL may spell it: 1 to 4 parts, each in its own base, ASCII or full-width, dot or no dot."""
    address = int(draw(addresses))
    parts = draw(st.integers(1, 4))
    front = [address >> 8 * (3 - place) & 0xFF for place in range(parts - 1)]
    last = address & (1 << 8 * (5 - parts)) - 1
    text = ".".join(_base(value, draw(st.sampled_from("doxX"))) for value in (*front, last))
    if draw(st.booleans()):
        text = text.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})
    return text + draw(st.sampled_from(["", "."]))


@given(spellings(closed_v4))
def test_no_spelling_of_a_closed_ipv4_address_is_accepted(host: str) -> None:
    assert STRICT.refuses_url(f"https://{host}/") is not None


@given(spellings(st.sampled_from(["8.8.8.8", "1.1.1.1", "93.184.216.34"]).map(ipaddress.IPv4Address)))
def test_every_spelling_of_an_open_address_means_that_address(host: str) -> None:
    assert taken_apart(f"https://{host}/").host in {"8.8.8.8", "1.1.1.1", "93.184.216.34"}


@given(closed_v4)
def test_a_closed_ipv4_address_is_refused_bare_and_in_every_ipv6_wrapping(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    wrappings = [
        ipaddress.IPv6Address((0xFFFF << 32) | number),  # mapped
        ipaddress.IPv6Address((0xFFFF << 48) | number),  # SIIT
        ipaddress.IPv6Address(number),  # compatible
        ipaddress.IPv6Address((0x64FF9B << 96) | number),  # NAT64
        ipaddress.IPv6Address((0x64FF9B0001 << 80) | number),
        ipaddress.IPv6Address((0x2002 << 112) | (number << 80)),  # 6to4
        ipaddress.IPv6Address((0x20010000 << 96) | (number ^ 0xFFFFFFFF)),  # Teredo
        ipaddress.IPv6Address((0x2A00145040010830 << 64) | (0x5EFE << 32) | number),  # ISATAP
        ipaddress.IPv6Address((0x2A00145040010830 << 64) | (0x02005EFE << 32) | number),
    ]
    for spelled in map(str, (address, *wrappings)):
        assert STRICT.refuses_address(spelled) is not None, spelled
    for wrapped in wrappings:
        assert STRICT.refuses_url(f"https://[{wrapped}]/") is not None, wrapped


@given(closed_v6)
def test_a_closed_ipv6_address_is_refused_as_an_address_and_in_a_url(address: ipaddress.IPv6Address) -> None:
    assert STRICT.refuses_address(str(address)) is not None
    assert STRICT.refuses_address(address.exploded) is not None
    assert STRICT.refuses_url(f"https://[{address}]/") is not None


@given(st.integers(0, 2**128 - 1).map(ipaddress.IPv6Address))
def test_what_is_accepted_is_global_unicast(address: ipaddress.IPv6Address) -> None:
    if STRICT.refuses_address(str(address)) is None and address.ipv4_mapped is None:
        assert address.is_global
        assert not address.is_multicast
        assert address in ipaddress.IPv6Network("2000::/3")


@given(st.text(max_size=60))
def test_any_text_is_judged_without_an_exception(text: str) -> None:
    for url in (text, f"https://{text}/", f"https://h.example/{text}", f"https://h.example:{text}/"):
        parsed = target.parse(url)
        if not isinstance(parsed, str):
            assert re.fullmatch(r"[a-z0-9._:-]+", parsed.host)
            assert re.fullmatch(r"[!-~]+", parsed.path)
            assert PLAIN.refuses_url(url) is None or parsed.literal or "localhost" in parsed.host


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "2a00:1450:4001:830::200e"])
def test_public_unicast_addresses_are_let_through(address: str) -> None:
    assert STRICT.refuses_address(address) is None


@pytest.mark.parametrize(
    "address",
    [
        "",
        "localhost",
        "127.1",
        "0x7f000001",
        "fe80::1%eth0",
        "::1%lo",
        "2606:4700::1%1",
        "[::1]",
        "8.8.8.8:53",
        "8.8.8",
    ],
)
def test_what_is_not_an_address_is_not_dialled(address: str) -> None:
    assert STRICT.refuses_address(address) is not None


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com/in?a=b#fragment",
        "HTTPS://Hooks.Example.COM./x",
        "https://hooks.example.com:8443/x",
        "https://bücher.example/grüße?q=ä",
        "https://xn--bcher-kva.example/",
        "https://a_b.example.com/",
        "https://8.8.8.8/x",
        "https://[2606:4700:4700::1111]:443/x",
        "https://127.0.0.1.nip.io/",
        "https://hooks.example.com/http://10.0.0.1/",
        "https://localhost.example.com/",
    ],
)
def test_ordinary_urls_are_accepted(url: str) -> None:
    assert STRICT.refuses_url(url) is None


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://hooks.example.com/", "allow_http"),
        ("file:///etc/passwd", "scheme"),
        ("gopher://hooks.example.com/", "scheme"),
        ("ftp://hooks.example.com/", "scheme"),
        ("javascript:alert(1)", "absolute"),
        ("//hooks.example.com/", "absolute"),
        ("/in", "absolute"),
        ("", "absolute"),
        ("https:/hooks.example.com/", "absolute"),
        ("https:///in", "no host"),
        ("https://./in", "no host"),
        ("https://../in", "no valid name|no host"),
        ("https://:443/", "no host"),
        ("https://good.example@10.0.0.1/", "user name"),
        ("https://user:pass@good.example/", "user name"),
        ("https://@good.example/", "user name"),
        ("https://good.example\\@10.0.0.1/", "user name|malformed"),
        ("https://good.example\\.evil.example/", "valid name"),
        ("https://good.example:0/", "port"),
        ("https://good.example:65536/", "port"),
        ("https://good.example:99999999999999999999/", "port"),
        ("https://good.example:-1/", "malformed"),
        ("https://good.example:8a/", "malformed"),
        ("https://good.example:٤٤٣/", "malformed"),
        ("https://good.example:443:80/", "malformed"),
        ("https://good .example/", "white space"),
        ("https://good.example/a b", "white space"),
        (" https://good.example/", "white space"),
        ("https://good.example/\r\nX: y", "control"),
        ("https://good.example/\x00", "control"),
        ("https://good.example/\x7f", "control"),
        ("https://good\u2028.example/", "control"),
        ("https://good.example/\ud800", "control"),
        ("https://::1/", "malformed"),
        ("https://::ffff:127.0.0.1/", "malformed"),
        ("https://[::1/", "malformed"),
        ("https://[::1]x/", "malformed"),
        ("https://[127.0.0.1]/", "IPv6"),
        ("https://[fe80::1%25eth0]/", "zone"),
        ("https://[2606:4700::1%1]/", "zone"),
        ("https://a..example/", "valid name"),
        ("https://%31%32%37.0.0.1/", "malformed"),
        ("https://127.0.0.1%2f.example/", "valid name"),
        ("https://exa$mple.com/", "valid name"),
        ("https://-bad.example/", "valid name"),
        (f"https://{'a' * 64}.example/", "valid name"),
        (f"https://{'a.' * 130}example/", "valid name"),
        ("https://1.2.3.4.5/", "malformed IPv4"),
        ("https://256.1.1.1/", "malformed IPv4"),
        ("https://08.8.8.8/", "malformed IPv4"),
        ("https://host.0x/", "malformed IPv4"),
        ("https://4294967296/", "malformed IPv4"),
        ("https://2130706433/", "not public"),
        ("https://0x7f000001/", "not public"),
        ("https://017700000001/", "not public"),
        ("https://127.1/", "not public"),
        ("https://127.0.0.1./", "not public"),
        ("https://0/", "not public"),
        ("https://\uff11\uff12\uff17.0.0.1/", "not public"),
        ("https://127\u30020\u30020\u30021/", "not public"),
        ("https://\u2460\u2461\u2466.0.0.1/", "not public"),
        ("https://127.0.0\u200b.1/", "not public"),
        ("https://169.254.169.254/latest/meta-data/", "not public"),
        ("https://[::ffff:169.254.169.254]/", "not public"),
        ("https://[::ffff:a9fe:a9fe]/", "not public"),
        ("https://localhost/", "this machine"),
        ("https://LocalHost./", "this machine"),
        ("https://\uff4cocalhost/", "this machine"),
        ("https://foo.localhost:8443/", "this machine"),
    ],
)
def test_urls_that_may_never_be_called_are_refused_with_the_reason(url: str, why: str) -> None:
    refusal = STRICT.refuses_url(url)
    assert refusal is not None
    assert re.search(why, refusal), refusal


def test_http_is_accepted_only_where_it_is_permitted() -> None:
    assert STRICT.refuses_url("http://hooks.example.com/") is not None
    assert PLAIN.refuses_url("http://hooks.example.com/") is None


def test_a_permitted_network_is_let_through_in_every_spelling() -> None:
    guard = Guard(allow_http=True, allow_networks=["127.0.0.0/8", "fd00::/8"])
    hosts = ("127.0.0.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "localhost", "x.localhost", "[fd00::1]")
    for host in hosts:
        assert guard.refuses_url(f"http://{host}:8080/") is None
    assert guard.refuses_address("::ffff:127.0.0.1") is None
    assert guard.refuses_address("10.0.0.1") is not None
    assert guard.refuses_address("::1") is not None


def test_a_permitted_network_of_others_does_not_permit_localhost() -> None:
    assert Guard(allow_http=True, allow_networks=["10.0.0.0/8"]).refuses_url("http://localhost/") is not None


@pytest.mark.parametrize("cidr", ["10.0.0.0/33", "10.0.0.5/8", "ten", "", "fd00::/129"])
def test_a_bad_network_is_named(cidr: str) -> None:
    with pytest.raises(ValueError, match=re.escape(repr(cidr))):
        Guard(allow_http=False, allow_networks=["192.168.0.0/16", cidr])


def test_one_forbidden_address_spoils_the_whole_answer() -> None:
    fault = STRICT.refuses_answer("mixed.example", ["8.8.8.8", "10.0.0.5"])
    assert fault is not None
    assert fault.reason == "forbidden_address"
    assert fault.detail == (
        "the address 10.0.0.5 of mixed.example is not public (set egress.allow_networks to permit it)"
    )


def test_an_empty_answer_is_a_failure_of_dns() -> None:
    fault = STRICT.refuses_answer("empty.example", [])
    assert fault is not None
    assert fault.reason == "dns"


def test_host_path_and_authority_are_taken_in_their_one_form() -> None:
    parsed = taken_apart("HTTPS://Bücher.Example.:443/grüße/%2e?q=a|b&c=%20#top")
    assert (parsed.host, parsed.port, parsed.authority) == ("xn--bcher-kva.example", 443, "xn--bcher-kva.example")
    assert parsed.path == "/gr%C3%BC%C3%9Fe/%2e?q=a%7Cb&c=%20"
    assert taken_apart("http://[2606:4700:4700:0::1111]:8080").authority == "[2606:4700:4700::1111]:8080"
    assert taken_apart("https://h.example?x").path == "/?x"
