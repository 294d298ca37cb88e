"""What each connector offered to poll when its instances were last brought in line with it."""

import hashlib

import orjson

from gateway.catalogue.core import completed
from gateway.catalogue.model import Connector
from gateway.storage import meta
from gateway.storage.database import Transaction

NAME = "polling.offer:"


def offer_of(connector: Connector) -> str:
    """A short hash of all that has a say in which pollers an instance has; it says nothing of how they are asked."""
    usual = completed(connector, {})
    told = {
        "webhook": connector.has_webhook,
        "usual": {key: value for key, value in usual.items() if key.startswith("event.")},
        "polls": sorted(
            (poll.name, poll.changes.object_type.source_text if poll.changes.object_type else "")
            for poll in connector.polls
        ),
        "resources": sorted((one.name, one.objects, "list" in one.methods) for one in connector.resources.values()),
    }
    return hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


async def record(transaction: Transaction, connector: str, offer: str) -> None:
    """Put an offer on record."""
    await meta.put(transaction, NAME + connector, offer)


async def forget(transaction: Transaction, connector: str) -> None:
    """A poller was stopped since this node knows nothing of it: whoever knows more has to look at the instances."""
    await meta.put(transaction, NAME + connector, "")
