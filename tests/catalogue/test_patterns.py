"""A pattern of a file is tried on what strangers write: none that can take for ever is let in."""

import re
import time

import pytest

from gateway.catalogue.patterns import quick

SLOW = [
    "(a+)+$", "(a|a)*$", "(a*)*b", "^(.*a){20}$", "((a+)+)+", "(|a)+b", "(a{1,30}){1,30}b",
    "(a?){50}a{50}", "a?a?a?a?aaaa", "(a)?(a)?(a)?aaa", "(a+)?(a+)?b", "(ab)+(ab)+x",
    "(.*)(.*)(.*)=", r"\w+\s*\w+\s*\w+$", ".*.*.*x", r"\d+\d+\d+x", "a*b*a*c", ".{1,200}.{1,200}x", "[^:]*.*x",
    "[a-z]*[|]?[a-z]*x", r"(?=a+)+", r"(a)\1+",
]  # fmt: skip
QUICK = [
    "", "^[0-9]+$", r"^[a-z.-]+(:[0-9]+)?$", r"^(www\.)?shop$", "^-?[0-9]+$", "^([0-9][0-9]:)+$", "^a|b$",
    "^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]+$", "^[^ @]+@[^ @]+$", r"^https://[^/]+/[^ ]*$",
    "[]a]+", r"[\]]*x", r"\(a\)+", r"^\S+ \S+$",
]  # fmt: skip


@pytest.mark.parametrize("pattern", SLOW)
def test_a_pattern_that_can_take_for_ever_is_seen(pattern: str) -> None:
    assert not quick(pattern)


@pytest.mark.parametrize("pattern", QUICK)
def test_a_pattern_that_cannot_is_let_in_and_is_quick_indeed(pattern: str) -> None:
    assert quick(pattern)
    began = time.process_time()
    for character in "a0:/-. x":
        re.search(pattern, character * 2000 + "\n")
    assert time.process_time() - began < 5
