"""What needs somebody, asked of one account: a look at the states of its instances."""

from gateway.accounts.model import Caller
from gateway.doctor.attention.model import Need
from gateway.provisioning.health.store import TROUBLES
from gateway.storage.database import Reader

_COLUMNS = "i.id AS instance_id, i.name, i.connector"
_OWN = "i.partner_id = $1 AND i.account_id = $2 AND i.deleted_at IS NULL AND i.enabled = 1"
_NEEDS = " UNION ALL ".join(
    f"SELECT '{what}' AS what, {_COLUMNS}, {part} AS part, s.reason, s.{since} AS since "  # noqa: S608
    f"FROM instances AS i JOIN {table} AS s ON s.instance_id = i.id WHERE {_OWN} AND {trouble}"
    for what, part, since, (table, trouble) in (
        ("credentials", "''", "since", TROUBLES["login"]),
        ("registration", "s.state", "since", TROUBLES["registration"]),
        ("ending", "''", "expires_at", ("registrations", "s.state = 'active' AND s.expires_at < $3")),
        ("poller", "s.name", "since", TROUBLES["polls"]),
        ("destination", "''", "since", TROUBLES["destination"]),
    )
)
_NEWEST = f"SELECT * FROM ({_NEEDS}) AS found ORDER BY since DESC, instance_id, what LIMIT $4"  # noqa: S608


async def needs(reader: Reader, caller: Caller, *, ends_before: int, most: int = 20) -> list[Need]:
    """What needs somebody among the instances of the caller's account, the newest first."""
    account_id = caller.account_id or caller.user.account_id
    return [Need.from_row(row) for row in await reader.all(_NEWEST, caller.partner_id, account_id, ends_before, most)]
