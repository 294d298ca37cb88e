"""An account in which there is something of everything, and the addresses at which the console shows it."""

import re
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from gateway.console import surface
from gateway.history.filter import EventFilter, as_json
from tests.console.thirdparty_parts import made as third_party
from tests.delivery.road import until
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway
from tests.replays import parts

#: Stands in the name of all that the account has.
MARK = "kept-for-the-first"
#: What stands in places of patterns that name nothing of an account.
_OPEN = {"key": "github", "what": "webhook-url", "operation": "issue_create", "mark": "x", "name": "x", "rest": "x"}

_CALLBACK = {
    "event.notification.basic.password": "pass-of-the-callback",
    "event.notification.signature.key": "key-of-the-callback-and-long-enough",
}


@dataclass(frozen=True)
class Scene:
    """What is there."""

    instance: int
    destination: int
    event: str
    delivery: str
    connector: int
    job: str
    user: int
    account: str
    #: What opens something, and is on no page but the one that shows it once.
    secrets: tuple[str, ...]
    token: str

    def place(self, pattern: str) -> str:
        """The address of what is there that a pattern takes."""
        by_path: dict[str, Any] = {
            "/console/instances/": self.instance,
            "/console/events/": self.event,
            "/console/replays/": self.job,
            "/console/settings/third-party-connectors/": self.connector,
            "/console/settings/users/": self.user,
            "/console/settings/accounts/": self.account,
        }
        own = {"id": next((value for begin, value in by_path.items() if pattern.startswith(begin)), "")}
        values = {**_OPEN, **own, "delivery": self.delivery}
        return re.sub(r"{(\w+)[^}]*}", lambda found: str(values[found[1]]), pattern)


async def scene(gateway: Gateway, receiver: Consumer) -> Scene:
    """An instance with an event and a dead letter, a 3rd-party connector, a job that has ended."""
    receiver.status = 500
    own = {"token": "ghp_of-the-vendor", "event.notification.basic.username": "a", **_CALLBACK}
    made = await gateway.create("github", receiver.url(), **own)
    await gateway.call("PATCH", f"/instances/{made['id']}", json={"name": MARK})
    await parts.send(gateway, made, 1)
    await until(gateway, dead=1)
    basic, headers = (
        {"username": "a", "password": "pass-of-the-third"},
        [{"name": "X-Api-Key", "value": "key-of-the-third"}],
    )
    connector = await third_party(gateway, f"{MARK} too", basic=basic, headers=headers)
    job = await parts.begun(gateway, "/replays", {"filter": {**as_json(EventFilter()), "instance_id": made["id"]}})
    await parts.ended(gateway, f"/replays/{job}")
    await until(gateway, dead=2)
    row = await gateway.running.services.runtime.database.one(
        "SELECT deliveries.id, deliveries.event_id, users.id AS user_id, users.account_id "
        "FROM deliveries, users WHERE users.id = 1 ORDER BY deliveries.id LIMIT 1"
    )
    assert row is not None
    destination = await parts.destination_of(gateway, made)
    return Scene(
        instance=made["id"],
        destination=destination,
        event=row["event_id"],
        delivery=row["id"],
        connector=connector.id,
        job=job,
        user=row["user_id"],
        account=row["account_id"],
        token=made["token"],
        secrets=(
            *("ghp_of-the-vendor", "pass-of-the-third", "key-of-the-third", *_CALLBACK.values()),
            *(made["token"], made["webhookSecret"], made["webhookUrl"].rsplit("/", 1)[-1]),
            *(secret.value for secret in connector.signing_secrets),
        ),
    )


def routes(method: str) -> list[str]:
    """The patterns of all routes of the console for a method."""
    app = web.Application()
    app.add_routes(surface.surface().routes)
    return sorted(
        {one.resource.canonical for one in app.router.routes() if one.method == method and one.resource is not None}
    )
