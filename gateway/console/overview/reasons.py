"""Why attempts fail, in words; pure."""

from gateway.console.wording import has, text

_STATUS = "status "


def told(reason: str | None) -> str:
    """The reason of a failed attempt as people read it."""
    if reason is None:
        return ""
    if reason.startswith(_STATUS):
        return text("overview.failing.reasons.status", status=reason.removeprefix(_STATUS))
    name = f"overview.failing.reasons.{reason}"
    return text(name) if has(name) and reason != "other" else text("overview.failing.reasons.other", reason=reason)
