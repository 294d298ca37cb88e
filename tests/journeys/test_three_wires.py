"""One instance on all wires: installed by Cyclr's API, its events switched on by Open Connectors', called by both."""

import json
from pathlib import Path

from tests.api.asking import OC, eventually
from tests.api.cyclr import speaking
from tests.kit import signed

KEY = "00ff" * 16
BODY = json.dumps({"event": {"action": "updated", "object_type": "lead", "object_id": "lead_1", "id": "ev_1"}}).encode()


async def test_what_is_installed_by_one_wire_is_called_and_switched_by_the_others_and_charged_once(
    tmp_path: Path, database_url: str
) -> None:
    async with speaking(tmp_path, database_url) as cyclr:
        gateway, auth = cyclr.gateway, cyclr.auth
        made = await cyclr.install(IsPartnerIntegrationConnector=True, Name="Acme")
        path = f"/instances/{made['Id']}"

        values = {"event.notification.enabled": True, "webhook.signature.key": KEY}
        changed = await gateway.call("PATCH", path, headers=auth, json={"configuration": values})
        assert (changed.status, changed.json["name"], changed.json["eventsEnabled"]) == (200, "Acme", True)

        rotated = await gateway.call("POST", f"/api/v1{path}/rotate/webhook-url", headers=auth)
        url = f"{gateway.url}/in/{rotated.json['webhookUrl'].rsplit('/', 1)[-1]}"
        for _ in range(2):
            # The second is the same event again.
            assert (await gateway.send(url, BODY, signed.close(KEY, BODY))).status == 200

        element = {"Authorization": f"{auth['Authorization']}, Element {changed.json['token']}"}
        assert (await gateway.call("GET", f"{OC}/hubs/crm/accounts", headers=element)).status == 200
        number, _ = await cyclr.numbers("List leads")
        await cyclr.ok("GET", f"/account/connectors/{made['Id']}/methods/{number}")

        async def billed() -> tuple[int, int]:
            told = await gateway.call("GET", f"/api/partner/accounts/{cyclr.account}/billing", headers=auth)
            return told.json["TaskCount"], told.json["CycleCount"]

        await eventually(billed, lambda found: found == (3, 1))
        used = await gateway.call("GET", f"/api/v1/usage?account_id={cyclr.account}", headers=auth)
        assert {name: used.json[name] for name in ("calls", "polls", "events", "flows")} == {
            "calls": 2, "polls": 0, "events": 1, "flows": 1,
        }  # fmt: skip
        assert (await cyclr.ok("GET", f"/accounts/{cyclr.account}/usage"))["TasksUsed"] == 3
