"""What calls of this wire share on this node: the numbers of what connectors name, the log of usage, who may call."""

from collections import OrderedDict

from aiohttp import web

from gateway.accounts.usage.log import UsageLog
from gateway.catalogue.member_ids.members import MemberIds
from gateway.instances.view import InstanceView
from gateway.provisioning.credentials import lacks
from gateway.provisioning.services import Services

MOST_KNOWN = 10_000


class Desk:
    """The state of this surface."""

    def __init__(self, services: Services) -> None:
        self.members = MemberIds(services.runtime.database)
        self.usage = UsageLog(services.runtime.database)
        self._known: OrderedDict[int, tuple[InstanceView, bool]] = OrderedDict()

    def is_complete(self, view: InstanceView) -> bool:
        """Whether an instance has all that its calls need; looked at once for each state of it."""
        known = self._known.get(view.instance.id)
        if known is None or known[0] is not view:
            known = (view, not lacks(view.connector, view.config.values))
            self._known[view.instance.id] = known
            if len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)
        return known[1]


DESK: web.AppKey[Desk] = web.AppKey("cyclr_desk", Desk)
