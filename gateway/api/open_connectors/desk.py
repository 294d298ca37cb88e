"""What calls share on this node: who was let in a moment ago, what connectors offer, and the log of usage."""

import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass

from aiohttp import web

from gateway.accounts.model import Caller
from gateway.accounts.usage.log import UsageLog
from gateway.api.open_connectors.calls import by_element
from gateway.catalogue.model import Connector
from gateway.catalogue.offers import Offers
from gateway.errors import NotFound, Unauthorized
from gateway.instances.view import InstanceView
from gateway.provisioning.services import Services

#: How long a caller is believed without asking the database again, as long as the instance does not change.
BELIEVED_S = 5.0
MOST_BELIEVED = 10_000


@dataclass(frozen=True, slots=True)
class Granted:
    """Who calls through which instance."""

    caller: Caller
    view: InstanceView


class Desk:
    """The state of the calls' part of this surface."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.usage = UsageLog(services.runtime.database)
        self._granted: OrderedDict[bytes, tuple[float, Granted]] = OrderedDict()
        self._offers: dict[str, tuple[Connector, Offers]] = {}

    async def granted(self, request: web.Request) -> Granted:
        """Whom the header lets in, and where; Unauthorized where it names no instance of the caller's."""
        header = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        # Who was let in before a secret was taken back is asked again.
        key = hashlib.sha256(b"%d %b" % (self.services.reception.changes, header)).digest()
        until, found = self._granted.get(key, (0.0, None))
        # A view is made anew after every change, so that another one means: ask again.
        if found is not None and until > time.monotonic():
            if await self.services.index.by_id(found.view.instance.id) is found.view:
                return found
            del self._granted[key]
        found = await self._asked(request)
        self._granted[key] = (time.monotonic() + BELIEVED_S, found)
        self._granted.move_to_end(key)
        if len(self._granted) > MOST_BELIEVED:
            self._granted.popitem(last=False)
        return found

    async def _asked(self, request: web.Request) -> Granted:
        chosen = await by_element(request)
        if chosen is None:
            raise Unauthorized
        caller, instance_id = chosen
        view = await self.services.index.by_id(instance_id)
        if view is None:
            raise NotFound("The connector of this instance is not known to the gateway any more.")
        return Granted(caller, view)

    def offers(self, connector: Connector) -> Offers:
        """What a connector offers, made once."""
        known = self._offers.get(connector.key)
        if known is None or known[0] is not connector:
            known = (connector, Offers(connector))
            self._offers[connector.key] = known
        return known[1]


DESK: web.AppKey[Desk] = web.AppKey("desk", Desk)
