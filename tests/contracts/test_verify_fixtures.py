"""Every shipped connector answers the deliveries beside its file, and nothing that differs from them passes."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from hypothesis import find
from hypothesis.strategies import characters, from_regex

from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.core import entries_of
from gateway.catalogue.load import SHIPPED, load_file
from gateway.catalogue.model import Connector, Entry
from gateway.catalogue.sources import octets
from gateway.contracts.judging import judged
from gateway.contracts.tampering import another, tampered
from gateway.proofs.fixtures import Delivery, Unusable, beside, read_fixtures
from gateway.proofs.proof import Verified
from gateway.proofs.received import Received
from gateway.proofs.rewriting import with_url
from gateway.proofs.signing import signed, signed_by
from gateway.proofs.verify import verify
from tests.kit.gateway import Gateway, settings, started

SIGNABLE = frozenset({"hmac", "digest", "token", "basic"})
FILES = sorted(SHIPPED.glob("*.toml"))
SHOP = {file.stem: load_file(file) for file in FILES}
TAKES_DELIVERIES = [one for one in SHOP.values() if one.webhook is not None]


def deliveries() -> list[tuple[Connector, Delivery]]:
    found = []
    for connector in TAKES_DELIVERIES:
        fixtures = read_fixtures(beside(connector))
        if not isinstance(fixtures, Unusable):
            found += [(connector, one) for one in fixtures.deliveries]
    return found


ALL = deliveries()
ACCEPTED = [(connector, one) for connector, one in ALL if one.told.expect == "accepted"]


def name(pair: object) -> str:
    return f"{pair.key}" if isinstance(pair, Connector) else getattr(pair, "name", str(pair))


def signable(connector: Connector, one: Delivery) -> list[Received]:
    """The delivery, signed now by each rule that can sign it."""
    rules = connector.webhook.verify if connector.webhook else ()
    made = [signed_by(connector, rule, one.config, one.received, time.time()) for rule in rules]
    return [received for received in made if received is not None]


@pytest.mark.parametrize(("connector", "one"), ALL, ids=name)
def test_a_delivery_is_judged_as_its_fixture_says(connector: Connector, one: Delivery) -> None:
    assert judged(connector, one) == []


@pytest.mark.parametrize(("connector", "one"), ACCEPTED, ids=name)
def test_nothing_that_differs_from_an_accepted_delivery_passes(connector: Connector, one: Delivery) -> None:
    outcome = tampered(connector, one)
    assert outcome.failures == ()
    rules = connector.webhook.verify if connector.webhook else ()
    assert outcome.attempts >= 6 or {"none", "api_confirm"} & {rule.scheme for rule in rules}


@pytest.mark.parametrize("connector", TAKES_DELIVERIES, ids=name)
def test_the_fixtures_of_a_connector_can_be_read(connector: Connector) -> None:
    fixtures = read_fixtures(beside(connector))
    assert not isinstance(fixtures, Unusable), fixtures.problems


@pytest.mark.parametrize("connector", TAKES_DELIVERIES, ids=name)
def test_a_connector_that_takes_deliveries_comes_with_accepted_and_rejected_ones(connector: Connector) -> None:
    assert {"accepted", "rejected"} <= {one.told.expect for other, one in ALL if other is connector}


def test_fixtures_stand_beside_connectors_that_take_deliveries() -> None:
    assert {file.stem for file in (SHIPPED / "tests").iterdir()} == {one.key for one in TAKES_DELIVERIES}


@pytest.mark.parametrize(("connector", "one"), ACCEPTED, ids=name)
def test_a_delivery_signed_afresh_passes_now_and_under_no_other_secret(connector: Connector, one: Delivery) -> None:
    rules = connector.webhook.verify if connector.webhook else ()
    made = signed(connector, one.config, one.received, time.time())
    if made is None:
        # Only what nobody but the vendor can make, or what is not proved at all.
        assert {rule.scheme for rule in rules} - SIGNABLE
        return
    assert isinstance(verify(connector, one.config, made, time.time()), Verified)
    other = others(connector, one)
    assert other != one.config
    assert not isinstance(verify(connector, other, made, time.time()), Verified)


# Through a gateway that runs


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    """One for all of them."""
    folder = tmp_path_factory.mktemp("gateway")
    async with started(settings(folder, "")) as found:
        yield found


def of_all(connector: Connector, one: Delivery) -> dict[str, str]:
    """A configuration that an instance can be made with: that of the fixture, and something for what else is needed."""
    # Nobody listens there: that the credentials are made up must not come out.
    values: dict[str, str] = {"base.url": "http://127.0.0.1:9", **one.config.values}
    if "oauth.user.token" in entries_of(connector):
        values["oauth.user.token"] = "brought along"
    auth = next(iter(connector.auth), None)
    for entry in entries_of(connector).values():
        belongs = entry.auth is None or auth in entry.auth
        if (
            (entry.required or entry.required_for == "webhook")
            and belongs
            and entry.key not in values
            and entry.default is None
        ):
            values[entry.key] = _some(entry)
    return values


def _some(entry: Entry) -> str:
    if entry.choices:
        return entry.choices[0]
    usual = {"url": "https://vendor.example", "number": "1", "integer": "1", "json": "{}"}.get(entry.type, "some")
    if entry.pattern is None or entry.pattern.search(usual):
        return usual
    return find(from_regex(entry.pattern, alphabet=characters(codec="ascii")), lambda text: bool(text.strip()))


def can_be_sent(connector: Connector, one: Delivery) -> bool:
    """A published vector may be nothing that a vendor sends, and some senders' addresses are not on this machine."""
    rules = connector.webhook.verify if connector.webhook else ()
    usable = one.told.changes is not None or one.told.handshake is not None
    return usable and not any(rule.networks for rule in rules) and bool(signable(connector, one))


FIRST = {connector.key: (connector, one) for connector, one in reversed(ACCEPTED) if can_be_sent(connector, one)}


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("key", sorted(FIRST))
async def test_a_fresh_delivery_passes_a_running_gateway_and_a_tampered_one_is_a_bare_401(
    key: str, gateway: Gateway
) -> None:
    connector, one = FIRST[key]
    made = await gateway.create(key, **of_all(connector, one))
    token, query = made["webhookUrl"].rpartition("/")[2], one.received.query
    public = f"{gateway.running.config.public_url}/in/{token}"
    there = with_url(one.received, f"{public}?{query}" if query else public)
    fresh = signed(connector, one.config, there, time.time())
    forged = signed(connector, others(connector, one), there, time.time())
    assert fresh is not None
    assert forged is not None
    assert (await sent(gateway, forged))[0] == (401, b"unauthorized")
    assert 200 <= (await sent(gateway, fresh))[0][0] < 300


def others(connector: Connector, one: Delivery) -> ConfigView:
    """The configuration with the secrets of another instance."""
    rules = connector.webhook.verify if connector.webhook else ()
    secrets = {key for rule in rules for key in (*rule.secret, rule.password) if key and one.config.get(key)}
    return ConfigView({**one.config.values, **{key: another(one.config.values[key], "hex") for key in secrets}})


async def sent(gateway: Gateway, received: Received) -> tuple[tuple[int, bytes], bytes]:
    """Status and body of the answer to a request that is sent to the byte as it is, and the head of the answer."""
    base = gateway.running.config.public_url
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.running.port)
    lines = [f"{received.method} {received.url.removeprefix(base)} HTTP/1.1", "Host: gateway.example"]
    lines += [f"{name}: {value}" for name, value in received.headers.items() if name not in ("host", "content-length")]
    lines += [f"Content-Length: {len(received.body)}", "Connection: close", "", ""]
    writer.write(octets("\r\n".join(lines)) + received.body)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    head, _, body = answer.partition(b"\r\n\r\n")
    return (int(head.split(b" ", 2)[1]), body), head
