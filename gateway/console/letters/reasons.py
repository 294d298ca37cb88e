"""Why dead letters are laid down, as people write it."""

from gateway.console.forms import Form
from gateway.console.wording import text

LONGEST_REASON = 500


def reason_of(form: Form) -> str | None:
    """The reason of a form; None where it is refused at its field."""
    found = form.get("reason")
    if not 0 < len(found) <= LONGEST_REASON or not found.isprintable():
        form.refuse("reason", text("letters.reason_expected", most=LONGEST_REASON))
        return None
    return found
