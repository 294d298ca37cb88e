"""The secrets of 3rd-party connectors, sealed anew under another key."""

from pathlib import Path

from gateway import seal, sealing_key
from gateway.seal import Seal
from gateway.storage.open import open_database
from gateway.thirdparty import store
from tests.kit.gateway import settings, started
from tests.thirdparty.parts import made


async def test_they_are_sealed_anew_with_all_the_others(tmp_path: Path, database_url: str) -> None:
    old, new = seal.new_key(), seal.new_key()
    async with started(settings(tmp_path, database_url, security={"encryption_keys": [old]})) as gateway:
        kept = await made(gateway, "https://target.example/", basic={"username": "ann", "password": "p4ssw0rd"})
        gone = await made(gateway, "https://target.example/", name="Gone")
        assert (await gateway.call("DELETE", f"/api/v1/third-party-connectors/{gone['id']}")).status == 204
    async with open_database(database_url, min_free=0, auto_migrate=False) as database:
        both = Seal((new, old))
        assert await sealing_key.older_keys_in_use(database, both) == 1
        counts = dict([found async for found in sealing_key.reseal(database, both)])
        assert counts["third_parties"] == 1
        assert await sealing_key.older_keys_in_use(database, both) == 0
        [found] = await store.of_account(database, Seal((new,)), kept["account_id"])
        assert found.definition.password == "p4ssw0rd"
