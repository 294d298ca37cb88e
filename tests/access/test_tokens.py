"""A token is renewed once, whoever needs it, and what the vendor has given is never lost."""

import asyncio
import uuid
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from aiohttp import web
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from gateway import keyring
from gateway.access.act import Called, Manner, Unsent, Vendors
from gateway.access.logins import OAUTH_ENDS
from gateway.access.tend import AT_ONCE, Tending
from gateway.calls.grants import Denied
from gateway.calls.model import Access, Arguments
from gateway.clock import now_ms
from gateway.errors import StorageDown
from gateway.instances import store as instances
from gateway.storage.database import Database, Row, Transaction, Value, Write
from tests.kit import postgres
from tests.kit.gateway import Gateway
from tests.kit.logins import brought, knowing, standing, values, view
from tests.vendors import Vendor, vendor
from tests.vendors.misbehaving import Act, answering

T = TypeVar("T")

MANNER = Manner(patience_s=10.0, timeout_s=10.0)


@pytest.fixture
async def there() -> AsyncIterator[Vendor]:
    async with vendor() as found:
        yield found


async def call(gateway: Gateway, instance_id: int) -> Called | Unsent:
    """`GET /me/` in the name of the instance."""
    seen = await view(gateway, instance_id)
    method = seen.connector.methods["me"]
    async with gateway.running.services.vendors.act(seen, method, Arguments(), MANNER) as outcome:
        return outcome


async def statuses(gateway: Gateway, instance_id: int, number: int) -> list[int | str]:
    """What so many calls at once come to."""
    found = await asyncio.gather(*(call(gateway, instance_id) for _ in range(number)))
    return [one.status if isinstance(one, Called) else one.why for one in found]


async def expire(gateway: Gateway, instance_id: int, *, ends_in_ms: int = -1000) -> None:
    """Let the instance's token be over, as the gateway knows it."""
    ends = str(now_ms() + ends_in_ms)
    database, seal = gateway.running.services.runtime.database, gateway.running.services.runtime.seal
    async with database.transaction() as transaction:
        await instances.put_settings(transaction, seal, instance_id, {OAUTH_ENDS: ends}, frozenset())
        await transaction.execute("UPDATE logins SET renew_at = 0 WHERE instance_id = $1", instance_id)
    gateway.running.services.index.forget(instance_id)


@pytest.mark.parametrize("known", [True, False], ids=["by its date", "by a 401"])
async def test_many_calls_on_an_ended_token_refresh_it_once(
    tmp_path: Path, database_url: str, there: Vendor, known: bool
) -> None:
    async with knowing(tmp_path, database_url) as gateway:
        made = await brought(gateway, there)
        there.oauth.expire()
        if known:
            await expire(gateway, made)
        assert await statuses(gateway, made, 200) == [200] * 200
        assert there.oauth.given == {"refresh_token": 1}
        assert len(there.to("/oauth2/token/")) == 1
        assert (await standing(gateway, made))["state"] == "good"


async def test_the_first_caller_may_leave(tmp_path: Path, there: Vendor) -> None:
    async with knowing(tmp_path) as gateway:
        made = await brought(gateway, there)
        await expire(gateway, made)
        release = asyncio.Event()
        there.next(held(there, release), on="/oauth2/token/")
        first = asyncio.create_task(call(gateway, made))
        await there.wait(1, "/oauth2/token/")
        others = [asyncio.create_task(call(gateway, made)) for _ in range(20)]
        await asyncio.sleep(0)
        first.cancel()
        release.set()
        answered = await asyncio.gather(*others)
        assert [one.status for one in answered if isinstance(one, Called)] == [200] * 20
        assert len(there.to("/oauth2/token/")) == 1


async def test_two_gateways_on_one_database_refresh_once(tmp_path: Path, postgres_server: str, there: Vendor) -> None:
    url = await postgres.fresh(postgres_server, f"test_{uuid.uuid4().hex}")
    secrets = keyring.fresh()
    async with knowing(tmp_path / "a", url, **secrets) as one, knowing(tmp_path / "b", url, **secrets) as other:
        made = await brought(one, there)
        await view(other, made)
        for gateway in (one, other):
            await expire(gateway, made)
        there.oauth.expire()
        answered = await asyncio.gather(statuses(one, made, 100), statuses(other, made, 100))
        assert [status for found in answered for status in found] == [200] * 200
        assert len(there.to("/oauth2/token/")) == 1
        # Later the one that was told nothing still calls with what the other one has stored.
        await expire(one, made)
        there.oauth.expire()
        assert await statuses(one, made, 5) == [200] * 5
        assert await statuses(other, made, 5) == [200] * 5
        assert there.oauth.given == {"refresh_token": 2}


async def test_an_agreement_that_was_taken_back_needs_a_person_and_the_vendor_is_left_alone(
    tmp_path: Path, there: Vendor
) -> None:
    async with knowing(tmp_path) as gateway:
        made = await brought(gateway, there)
        there.oauth.forget_refresh_tokens()
        there.oauth.expire()
        await expire(gateway, made)
        assert await statuses(gateway, made, 50) == ["no_credentials"] * 50
        told = await standing(gateway, made)
        assert (told["state"], told["reason"]) == ("reauth", "invalid_grant")
        # Not even a node that remembers nothing asks again.
        services = gateway.running.services
        fresh = Vendors(services.runtime, services.index)
        gateway.running.services.index.forget(made)
        found = await fresh.tokens.access(await view(gateway, made))
        assert isinstance(found, Denied)
        assert len(there.to("/oauth2/token/")) == 1
        # Until somebody has logged in.
        access, refresh = there.oauth.issue()
        body = {"configuration": {"oauth.user.token": access, "oauth.user.refresh_token": refresh}}
        assert (await gateway.call("PATCH", f"/instances/{made}", json=body)).json["valid"] is True
        assert await statuses(gateway, made, 2) == [200, 200]


async def test_an_outage_of_the_login_is_no_refusal_and_passes(tmp_path: Path, there: Vendor) -> None:
    async with knowing(tmp_path) as gateway:
        made = await brought(gateway, there)
        await expire(gateway, made)
        there.always(answering(503, b"down"), on="/oauth2/token/")
        assert await statuses(gateway, made, 50) == ["unreachable"] * 50
        # A view that was made anew meanwhile may ask once more.
        assert len(there.to("/oauth2/token/")) <= 2
        assert (await standing(gateway, made))["state"] == "good"
        there.behave()
        gateway.running.services.index.forget(made)
        assert await statuses(gateway, made, 2) == [200, 200]


async def test_a_vendor_that_refuses_fresh_tokens_is_not_asked_for_more_and_more(tmp_path: Path, there: Vendor) -> None:
    async with knowing(tmp_path) as gateway:
        made = await brought(gateway, there)
        there.always(answering(401, b'{"error":"account suspended"}'), on="/api/v1/me/")
        for _ in range(5):
            assert await statuses(gateway, made, 1) == [401]
        assert there.oauth.given == {"refresh_token": 1}
        told = await standing(gateway, made)
        assert (told["state"], told["reason"]) == ("unchecked", "account suspended")
        there.behave()
        assert await statuses(gateway, made, 1) == [200]
        assert (await standing(gateway, made))["state"] == "good"


async def test_a_token_that_ends_soon_is_renewed_ahead_and_once_by_two_nodes(
    tmp_path: Path, postgres_server: str, there: Vendor
) -> None:
    url = await postgres.fresh(postgres_server, f"test_{uuid.uuid4().hex}")
    secrets = keyring.fresh()
    async with knowing(tmp_path / "a", url, **secrets) as one, knowing(tmp_path / "b", url, **secrets) as other:
        made = [await brought(one, there) for _ in range(20)]
        untouched = await brought(one, there)
        for instance_id in made:
            await expire(one, instance_id, ends_in_ms=120_000)
        await asyncio.gather(tending(one).renew(), tending(other).renew())
        assert there.oauth.given == {"refresh_token": 20}
        assert there.most_at_once <= 2 * AT_ONCE
        for instance_id in made:
            one.running.services.index.forget(instance_id)
            ends = int((await view(one, instance_id)).config.get(OAUTH_ENDS) or 0)
            assert ends > now_ms() + 3_000_000
        assert await tending(one).renew() == 0
        assert (await view(one, untouched)).config.get(OAUTH_ENDS)


async def test_renewals_that_fail_make_room_for_the_others(tmp_path: Path, there: Vendor) -> None:
    async with knowing(tmp_path) as gateway:
        made = [await brought(gateway, there) for _ in range(AT_ONCE + 2)]
        for instance_id in made:
            await expire(gateway, instance_id, ends_in_ms=120_000)
        there.always(answering(503, b"down"), on="/oauth2/token/")
        assert await tending(gateway).renew() == AT_ONCE + 2
        asked = len(there.to("/oauth2/token/"))
        assert await tending(gateway).renew() == 0
        assert len(there.to("/oauth2/token/")) == asked


async def test_a_refresh_token_is_stored_though_the_store_stumbles(tmp_path: Path, there: Vendor) -> None:
    async with knowing(tmp_path) as gateway:
        made = await brought(gateway, there)
        await expire(gateway, made)
        services = gateway.running.services
        broken = Stumbling(services.runtime.database, times=2)
        keeper = Vendors(replace(services.runtime, database=broken), services.index).tokens
        found = await keeper.access(await view(gateway, made))
        assert isinstance(found, Access)
        assert broken.stumbled == 2
        await is_stored(gateway, there, made)


async def test_a_refresh_token_that_could_not_be_stored_is_stored_with_the_next_call(
    tmp_path: Path, there: Vendor
) -> None:
    async with knowing(tmp_path) as gateway:
        made = await brought(gateway, there)
        await expire(gateway, made)
        services = gateway.running.services
        broken = Stumbling(services.runtime.database, times=4)
        keeper = Vendors(replace(services.runtime, database=broken), services.index).tokens
        with pytest.raises(StorageDown):
            await keeper.access(await view(gateway, made))
        assert there.to("/api/v1/me/")[1:] == []
        assert isinstance(await keeper.access(await view(gateway, made)), Access)
        await is_stored(gateway, there, made)


async def is_stored(gateway: Gateway, there: Vendor, instance_id: int) -> None:
    """The vendor has given tokens once, and the stored refresh token is the one that counts now."""
    assert there.oauth.given == {"refresh_token": 1}
    gateway.running.services.index.forget(instance_id)
    refresh = (await view(gateway, instance_id)).config.get("oauth.user.refresh_token")
    assert refresh in there.oauth.grants.refresh
    assert await statuses(gateway, instance_id, 1) == [200]


async def test_tokens_of_an_instance_that_is_deleted_meanwhile_are_not_kept(tmp_path: Path, there: Vendor) -> None:
    async with knowing(tmp_path) as gateway:
        made = await brought(gateway, there)
        await expire(gateway, made)
        release = asyncio.Event()
        there.next(held(there, release), on="/oauth2/token/")
        calling = asyncio.create_task(call(gateway, made))
        await there.wait(1, "/oauth2/token/")
        assert (await gateway.call("DELETE", f"/instances/{made}")).status == 200
        release.set()
        assert isinstance(await calling, Unsent)
        database = gateway.running.services.runtime.database
        assert await database.all("SELECT * FROM configuration WHERE instance_id = $1", made) == []


async def test_credentials_that_are_changed_during_a_refresh_win(tmp_path: Path, there: Vendor) -> None:
    async with knowing(tmp_path) as gateway:
        made = await brought(gateway, there)
        await expire(gateway, made)
        release = asyncio.Event()
        there.next(held(there, release), on="/oauth2/token/")
        calling = asyncio.create_task(call(gateway, made))
        await there.wait(1, "/oauth2/token/")
        access, refresh = there.oauth.issue()
        body = {"configuration": {"oauth.user.token": access, "oauth.user.refresh_token": refresh}}
        assert (await gateway.call("PATCH", f"/instances/{made}", json=body)).status == 200
        release.set()
        await calling
        assert (await view(gateway, made)).config.get("oauth.user.refresh_token") == refresh
        assert await statuses(gateway, made, 1) == [200]


@pytest.mark.parametrize(
    ("connector", "own", "kind"),
    [
        ("vend-session", {"user": "ada", "password": "secret"}, "session"),
        ("vend-client", {}, "client_credentials"),
    ],
)
async def test_sessions_and_clients_log_in_again_by_themselves(
    tmp_path: Path, there: Vendor, connector: str, own: dict[str, Any], kind: str
) -> None:
    async with knowing(tmp_path) as gateway:
        wanted = {"site": there.url, **own} if own else values(there)
        made = await gateway.call("POST", "/instances", json={"element": {"key": connector}, "configuration": wanted})
        there.oauth.expire()
        assert await statuses(gateway, made.json["id"], 50) == [200] * 50
        assert there.oauth.given == {kind: 2}


async def test_a_jwt_is_signed_for_every_call(tmp_path: Path, there: Vendor) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    there.close.bearer_is_valid = lambda token: verified(key, token)
    async with knowing(tmp_path) as gateway:
        body = {"element": {"key": "vend-jwt"}, "configuration": {"site": there.url, "private.key": text}}
        made = await gateway.call("POST", "/instances", json=body)
        assert made.json["valid"] is True
        assert await statuses(gateway, made.json["id"], 2) == [200, 200]


def verified(key: ec.EllipticCurvePrivateKey, token: str) -> bool:
    head, claims, signature = token.split(".")
    raw = urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    pair = utils.encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    key.public_key().verify(pair, f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
    return b'"iss":"gateway"' in urlsafe_b64decode(claims + "=" * (-len(claims) % 4))


def held(there: Vendor, release: asyncio.Event) -> Act:
    """A good answer of the token endpoint that waits for a word."""

    async def act(_request: web.Request) -> web.StreamResponse:
        await release.wait()
        access, refresh = there.oauth.issue()
        return web.json_response({"access_token": access, "refresh_token": refresh, "expires_in": 3600})

    return act


def tending(gateway: Gateway) -> Tending:
    services = gateway.running.services
    return Tending(services.runtime, services.index, services.vendors)


class Watched:
    """A transaction that remembers whether it has written values."""

    def __init__(self, real: Transaction) -> None:
        self._real = real
        self.wrote = False

    async def one(self, sql: str, *args: Value) -> Row | None:
        return await self._real.one(sql, *args)

    async def all(self, sql: str, *args: Value) -> Sequence[Row]:
        return await self._real.all(sql, *args)

    async def execute(self, sql: str, *args: Value) -> int:
        self.wrote = self.wrote or sql.startswith("INSERT INTO configuration")
        return await self._real.execute(sql, *args)


class Stumbling:
    """A database that cannot commit values a few times, as one whose disk is full."""

    def __init__(self, real: Database, *, times: int) -> None:
        self._real = real
        self._times = times
        self.engine = real.engine
        self.stumbled = 0

    async def one(self, sql: str, *args: Value) -> Row | None:
        return await self._real.one(sql, *args)

    async def all(self, sql: str, *args: Value) -> Sequence[Row]:
        return await self._real.all(sql, *args)

    async def write(self, write: Write[T], *, urgent: bool = True) -> T:
        return await self._real.write(write, urgent=urgent)

    def submit(self, write: Write[T]) -> asyncio.Future[T]:
        return self._real.submit(write)

    @asynccontextmanager
    async def transaction(self, *, patient: bool = False) -> AsyncIterator[Transaction]:
        async with self._real.transaction(patient=patient) as real:
            watched = Watched(real)
            yield watched
            if watched.wrote and self.stumbled < self._times:
                self.stumbled += 1
                raise StorageDown
