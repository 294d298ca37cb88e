"""Whether a regular expression of a file can be tried on any text in a short time."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

_REPEAT = r"[*+?]\??|\{[0-9,]*\}\??"
_CLASS = r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]"
_ATOM = re.compile(rf"({_CLASS}|[^\\\[(){{}}*+?|^$])({_REPEAT})?", re.DOTALL)
_BLANKED = re.compile(_CLASS, re.DOTALL)
_REPEATED = re.compile(_REPEAT)
_EXACTLY = re.compile(r"\{[0-9]+\}\??")
_CHANGES = re.compile(r"[*+?{|]")
_BACK = re.compile(r"\\[1-9]|\(\?")
_SAMPLE = tuple(map(chr, range(256)))


@dataclass(frozen=True, slots=True)
class _Group:
    begin: int
    end: int
    #: How often it comes; empty where that is once.
    repeat: str
    #: Whether nothing inside repeats, may be missing, or is chosen.
    fixed: bool

    @property
    def free(self) -> bool:
        """Whether its length is open."""
        return bool(self.repeat) and not _EXACTLY.fullmatch(self.repeat)


@dataclass(frozen=True, slots=True)
class _Piece:
    """What may stand at a place; `certain` where it is always there, and once."""

    matches: frozenset[str]
    free: bool
    certain: bool


def quick(pattern: str) -> bool:
    """Whether no text can make a pattern try for long.

    Repeated groups are fixed inside; and where two parts of open length match some of the same characters, there is
    something between them that the first one does not match.
    """
    blank = _BLANKED.sub(lambda match: "x" * len(match[0]), pattern)
    groups = _groups(blank)
    if _BACK.search(pattern) or any(one.repeat[:1] not in ("", "?") and not one.fixed for one in groups):
        return False
    pieces = list(_pieces(pattern, groups, chosen="|" in blank))
    free = [at for at, piece in enumerate(pieces) if piece.free]
    return all(_told_apart(pieces, first, second) for first, second in combinations(free, 2))


def _told_apart(pieces: list[_Piece], first: int, second: int) -> bool:
    one, other = pieces[first].matches, pieces[second].matches
    if one.isdisjoint(other):
        return True
    return any(piece.certain and one.isdisjoint(piece.matches) for piece in pieces[first + 1 : second])


def _pieces(pattern: str, groups: list[_Group], *, chosen: bool) -> Iterator[_Piece]:
    """The characters and classes in their order; a group that repeats is one piece."""
    told = set()
    for atom in _ATOM.finditer(pattern):
        around = [one for one in groups if one.begin < atom.start() < one.end]
        whole = next((one for one in around if one.free and one.fixed), None)
        if whole is None:
            free = (bool(atom[2]) and not _EXACTLY.fullmatch(atom[2])) or any(one.free for one in around)
            yield _Piece(_matched(atom[1]), free, certain=not (free or around or chosen))
        elif whole not in told:
            told.add(whole)
            inside = _ATOM.findall(pattern[whole.begin + 1 : whole.end])
            yield _Piece(frozenset().union(*(_matched(one) for one, _ in inside)), True, certain=False)


@lru_cache(maxsize=512)
def _matched(atom: str) -> frozenset[str]:
    try:
        one = re.compile(atom, re.DOTALL)
    except re.error:
        return frozenset(_SAMPLE)
    return frozenset(filter(one.fullmatch, _SAMPLE))


def _groups(blank: str) -> list[_Group]:
    found, opened = [], []
    for at, character in enumerate(blank):
        if character == "(":
            opened.append(at)
        elif character == ")" and opened:
            begin = opened.pop()
            repeat = _REPEATED.match(blank, at + 1)
            found.append(_Group(begin, at, repeat[0] if repeat else "", not _CHANGES.search(blank[begin + 1 : at])))
    return found
