"""What the instances of an account say of events, as one count."""

from collections.abc import Sequence

from gateway.accounts.model import AccountId
from gateway.storage.database import Reader


async def events_of(reader: Reader, account_id: AccountId) -> Sequence[tuple[str, str | None, int]]:
    """The account's enabled instances: connector, what they say of events (None: nothing), and how many do."""
    rows = await reader.all(
        "SELECT instances.connector, configuration.value, count(*) AS number FROM instances "
        "LEFT JOIN configuration ON configuration.instance_id = instances.id "
        "AND configuration.key = 'event.notification.enabled' "
        "WHERE instances.account_id = $1 AND instances.enabled = 1 AND instances.deleted_at IS NULL "
        "GROUP BY instances.connector, configuration.value",
        account_id,
    )
    return [(row["connector"], row["value"], row["number"]) for row in rows]
