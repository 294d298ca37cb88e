"""Names of data rows: paths into the body, such as `customer.email`, `items[0].price` or `tags[]`."""

import re
import unicodedata

from gateway.errors import Problem
from gateway.thirdparty.model import BodyType, DataRow

#: A step is the name of a member, a place in a list, or APPENDED.
Step = str | int
Path = tuple[Step, ...]

#: The next place of a list; the last step of a name only.
APPENDED = -1
DEEPEST = 16
MOST_PLACES = 1_000
#: Of an XML element beside its attributes.
TEXT = "#text"
_EXPECTED = "expected names joined by dots, such as customer.email, items[0].price or tags[]"
_PART = re.compile(r"(?:'(?P<quoted>[^']+)'|(?P<plain>[^.'\[\]]+))(?P<places>(?:\[[0-9]{0,4}\])*)(?:\.(?=.)|$)")
_PLACE = re.compile(r"\[([0-9]*)\]")
# What both the first editions of XML and the fifth take for a letter: many readers know no other.
_XML_START = "A-Z_a-z\xc0-\xd6\xd8-\xf6\xf8-\u0131\u0134-\u013e\u0141-\u0148\u014a-\u017e\u0388-\u038a\u038e-\u03a1"
_XML_START += "\u03a3-\u03ce\u0401-\u040c\u040e-\u044f\u0451-\u045c\u045e-\u0481\u05d0-\u05ea\u0621-\u063a"
_XML_START += "\u0641-\u064a\u3041-\u3094\u30a1-\u30fa\u4e00-\u9fa5\uac00-\ud7a3"
_XML_REST = _XML_START + "0-9.-"
_XML_NAME = re.compile(f"[{_XML_START}][{_XML_REST}]*")
_NO_XML_START = re.compile(f"^[^{_XML_START}]")
_NO_XML_REST = re.compile(f"[^{_XML_REST}]")


def path_of(name: str) -> Path:
    """The path that a name stands for; ValueError says what was expected."""
    steps: list[Step] = []
    at = 0
    while at < len(name):
        match = _PART.match(name, at)
        if match is None:
            raise ValueError(_hint(name))
        steps.append(match["quoted"] or match["plain"])
        steps.extend(int(place) if place else APPENDED for place in _PLACE.findall(match["places"]))
        at = match.end()
    if not steps or len(steps) > DEEPEST:
        raise ValueError(f"has more than {DEEPEST} steps" if steps else _EXPECTED)
    if APPENDED in steps[:-1]:
        raise ValueError("[] may only stand at the end; number the places of a list, such as items[0].price")
    if any(isinstance(step, int) and step >= MOST_PLACES for step in steps):
        raise ValueError(f"names a place beyond the {MOST_PLACES} that a list may have")
    return tuple(steps)


def is_xml_name(name: str) -> bool:
    """Whether an element or an attribute may be called so; prefixes of namespaces are not taken."""
    return _XML_NAME.fullmatch(name) is not None


def xml_name(key: str) -> str:
    """The key of a payload's object as an element's name: what may not stand in one becomes an underscore."""
    if _XML_NAME.fullmatch(key):
        return key
    rest = _NO_XML_REST.sub("_", key)
    return f"_{rest}" if not rest or _NO_XML_START.match(rest) else rest


def problems_of(rows: tuple[DataRow, ...], kind: BodyType) -> list[Problem]:
    """What is wrong with the names of the rows, each by itself and all together."""
    problems: list[Problem] = []
    paths: dict[Path, int] = {}
    for number, row in enumerate(rows):
        try:
            path = path_of(row.name)
            _check_xml(path, kind)
            _check_beside(path, paths)
        except ValueError as problem:
            problems.append(Problem(f"data.{number}.name", str(problem)))
        else:
            paths[path] = number
    return problems


def _check_beside(path: Path, others: dict[Path, int]) -> None:
    if path in others and path[-1] != APPENDED:
        raise ValueError("is given twice; write tags[] where a list is meant")
    for other in others:
        shared = min(len(path), len(other))
        if path[:shared] == other[:shared] and len(path) != len(other):
            raise ValueError("stands for a value, and for an object or a list of another row too")
        differing = next((n for n in range(shared) if path[n] != other[n]), None)
        if differing is not None and not _alike(path[differing], other[differing]):
            raise ValueError("makes a list of what another row makes an object, or numbers a list that [] makes")


def _alike(step: Step, other: Step) -> bool:
    if isinstance(step, int) and isinstance(other, int):
        return (step == APPENDED) == (other == APPENDED)
    return isinstance(step, str) and isinstance(other, str)


def _check_xml(path: Path, kind: BodyType) -> None:
    if isinstance(path[0], int):
        raise ValueError(_EXPECTED)
    if kind != "XML":
        return
    for number, step in enumerate(path):
        if isinstance(step, int):
            continue
        last = number == len(path) - 1
        name = step[1:] if step.startswith("@") and last else step
        if not (step == TEXT and last) and not is_xml_name(name):
            raise ValueError(f"{step[:40]!r} is no name of an XML element; an attribute is written @name, as the last")


def _hint(name: str) -> str:
    bracketed = re.fullmatch(r"([^.'\[\]]+)\[([^\[\]0-9][^\[\]]*)\]", name)
    if bracketed:
        return f"write {bracketed[1]}.{bracketed[2]}; a form sends it with brackets"
    return _EXPECTED


def folded(name: str) -> str:
    """The name of a connector as names are compared: without regard to case and ways of writing a letter."""
    return unicodedata.normalize("NFKC", name.strip()).casefold()
