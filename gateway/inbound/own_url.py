"""Deliveries on an instance's own URL that name an account: what is the instance's own, and what a sibling's."""

from gateway.catalogue.webhook_model import Tenant
from gateway.inbound.answers import worst
from gateway.inbound.handshake import Reply
from gateway.inbound.normalise import Parcel, accounts_in, changes_in, open_parcel
from gateway.inbound.outcomes import Outcomes
from gateway.inbound.proving import Means, proves_sender
from gateway.inbound.storing import Storing
from gateway.inbound.tenants import Shares, instances_of, left, shares_of
from gateway.instances.index import InstanceIndex
from gateway.instances.view import InstanceView
from gateway.proofs.bodies import Malformed
from gateway.proofs.proof import Rejected, Verified
from gateway.proofs.received import Received

_FOREIGN = Rejected("account_mismatch", "it is of another account, or names none")
_NAMELESS = Rejected("account_mismatch", "the instance's own account is not configured")


class OwnUrl:
    """Takes what an instance's secrets have proved already."""

    def __init__(self, index: InstanceIndex, means: Means, storing: Storing, outcomes: Outcomes) -> None:
        self._index = index
        self._means = means
        self._storing = storing
        self._outcomes = outcomes

    async def receive(
        self, view: InstanceView, tenant: Tenant, received: Received, verified: Verified, began: float
    ) -> Reply:
        """Store the items of the instance's account, and those of its partner's other instances where they belong."""
        parcel = open_parcel(view.connector, view.config, received, view.max_body)
        if isinstance(parcel, Malformed):
            return self._outcomes.malformed(view, received, parcel)
        own, shares = tenant.of(view.config), shares_of(accounts_in(parcel, view.config), len(parcel.items))
        if parcel.webhook.scope == "instance":
            refusal = _NAMELESS if own is None else _FOREIGN if shares.keys() - {own} else None
            if refusal is not None:
                return self._outcomes.rejected(view, received, refusal)
        elif own is not None and shares.keys() - {own}:
            return await self._divide(view, tenant, parcel, shares, own, verified, began)
        every = changes_in(parcel, view.config, range(len(parcel.items)))
        return await self._storing.take(view, received, every, verified.nonce, began)

    async def _divide(
        self,
        view: InstanceView,
        tenant: Tenant,
        parcel: Parcel,
        shares: Shares,
        own: str,
        verified: Verified,
        began: float,
    ) -> Reply:
        received, connector = parcel.received, view.connector.key
        others = {account: numbers for account, numbers in shares.items() if account != own}
        named = await instances_of(self._index, connector, tenant, others, partner_id=view.instance.partner_id)
        proved = await self._means.proofs(received).among(one for _, one in named if proves_sender(one))
        mine = [(view, verified)] if own in shares or verified.nonce else []
        replies, served = [], {own}
        for one, proof in [*mine, *proved.found]:
            account = tenant.of(one.config) or own
            served.add(account)
            changes = changes_in(parcel, one.config, shares.get(account, ()))
            replies.append(await self._storing.take(one, received, changes, proof.nonce, began))
        self._outcomes.nobodys(connector, view.instance.id, left(shares, served))
        if proved.undecided is not None:
            replies.append(self._outcomes.undecided(connector, proved.undecided.problem))
        return worst(replies) if replies else self._outcomes.told_ignored(view, received)
