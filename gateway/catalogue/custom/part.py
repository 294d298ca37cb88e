"""One object of a definition: keys count in any case, and what is wrong is noted instead of raised."""

from collections.abc import Mapping

LONGEST_TEXT = 2_000
_TRUTHS = {"true": True, "false": False}


class Part:
    """Answers what stands under some names; the first of them that is there counts, and null is nothing."""

    __slots__ = ("_members", "problems", "where")

    def __init__(self, members: Mapping[str, object], where: str, problems: list[str]) -> None:
        self._members = {str(name).lower(): value for name, value in members.items() if value is not None}
        self.where = where
        self.problems = problems

    def problem(self, name: str, expected: str) -> None:
        """Something is wrong with a member."""
        self.problems.append(f"{self.where}.{name}: {expected}" if self.where else f"{name}: {expected}")

    def raw(self, *names: str) -> object:
        """The value as it is."""
        return next((self._members[name.lower()] for name in names if name.lower() in self._members), None)

    def text(self, *names: str, longest: int = LONGEST_TEXT) -> str:
        """A text without blanks around it, empty where there is none; numbers and truth values as they are written."""
        value = self.raw(*names)
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float):
            return str(value)
        if value is None:
            return ""
        if not isinstance(value, str) or len(value) > longest or _is_odd(value):
            self.problem(names[0], f"must be a text of at most {longest} characters")
            return ""
        return value.strip()

    def word(self, *names: str) -> str:
        """A word of a closed list, in lower case without blanks and dashes."""
        return "".join(letter for letter in self.text(*names, longest=100).lower() if letter.isalnum())

    def flag(self, *names: str) -> bool:
        """A truth value, which may be a text; false where there is none."""
        value = self.raw(*names)
        if isinstance(value, str):
            value = _TRUTHS.get(value.strip().lower(), value)
        if value is None or isinstance(value, bool):
            return bool(value)
        self.problem(names[0], "must be true or false")
        return False

    def parts(self, name: str, *, most: int) -> "list[Part]":
        """A list of objects."""
        value = self.raw(name)
        if value is None:
            return []
        if not isinstance(value, list) or len(value) > most:
            self.problem(name, f"must be a list of at most {most} objects")
            return []
        found = []
        for place, one in enumerate(value):
            where = f"{self.where}.{name}[{place}]" if self.where else f"{name}[{place}]"
            if isinstance(one, dict):
                found.append(Part(one, where, self.problems))
            else:
                self.problems.append(f"{where}: must be an object")
        return found

    def part(self, name: str) -> "Part":
        """An object; an empty one where there is none."""
        value = self.raw(name)
        if value is not None and not isinstance(value, dict):
            self.problem(name, "must be an object")
        where = f"{self.where}.{name}" if self.where else name
        return Part(value if isinstance(value, dict) else {}, where, self.problems)


def _is_odd(text: str) -> bool:
    kept = text.replace("\n", "").replace("\r", "").replace("\t", "")
    return any(letter < " " or letter == "\x7f" or "\ud800" <= letter <= "\udfff" for letter in kept)
