"""Where a person may be sent on to."""

from urllib.parse import quote

_LONGEST_PATH = 2000
#: What a path may hold beside letters and digits; a backslash is a slash to browsers.
_PATH_LETTERS = "/?#[]@!$&'()*+,;=:-._~%"


def own_path(wanted: str) -> str | None:
    """The path on this gateway that a person may be sent on to; None for everything else."""
    if not wanted.startswith("/") or wanted.startswith("//") or len(wanted) > _LONGEST_PATH:
        return None
    if "\\" in wanted or not wanted.isprintable() or any(character.isspace() for character in wanted):
        return None
    return quote(wanted, safe=_PATH_LETTERS)
