"""Moments as people type them: without a zone they are meant in the account's; pure."""

from datetime import UTC, datetime, tzinfo


def moment(value: str, zone: tzinfo) -> datetime | None:
    """The moment that a text names; None where it names none."""
    try:
        # The plus of a zone that nobody escaped arrives as a space.
        at = datetime.fromisoformat(value.replace(" ", "+") if "T" in value else value)
        at = at if at.tzinfo else at.replace(tzinfo=zone)
        at.timestamp()
        at.astimezone(UTC)
        return at.astimezone(zone)
    except (ValueError, OverflowError, OSError):
        return None


def exact(value: str, zone: tzinfo) -> str:
    """The same as a text that names its zone; what is no moment stays as it is."""
    at = moment(value, zone)
    return value if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")
