"""Durations and sizes as people write them."""

import re
from functools import lru_cache

from gateway.clock import duration_ms

_FACTORS = {"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_SIZE = re.compile(r"([0-9]{1,15}) ?(B|KiB|MiB|GiB|)")


class Duration(str):
    """A text such as `15s`; `ms` and `seconds` are its length."""

    __slots__ = ()

    @property
    def ms(self) -> int:
        return _ms(self)

    @property
    def seconds(self) -> float:
        return _ms(self) / 1000


class Size(str):
    """A text such as `1MiB`; `bytes` is its length."""

    __slots__ = ()

    @property
    def bytes(self) -> int:
        return size_bytes(self)


@lru_cache(maxsize=256)
def _ms(text: str) -> int:
    return duration_ms(text)


@lru_cache(maxsize=256)
def size_bytes(text: str) -> int:
    """Bytes in a text such as `64KiB`, `1MiB` or `512`; ValueError says what was expected."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no size; write a number and a unit, such as 64KiB, 1MiB or 2GiB")
    return int(match[1]) * _FACTORS[match[2]]
