"""Every word that a person reads stands in one place, and every place that asks for one finds it."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import nodes

from gateway.console import wording
from gateway.console.page import environment

CONSOLE = Path(wording.__file__).parent
TEMPLATES = sorted((CONSOLE / "templates").rglob("*.html"))
_JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.S)
_ASKED = re.compile(r"""\b(?:t|text|wording\.text|has_text)\(\s*f?["']([a-z0-9_.{}]+)["']""")
#: Attributes that people read, or hear.
_READ = ("title", "aria-label", "placeholder", "alt", "value")
_LETTERS = re.compile(r"[A-Za-z]{2,}")


def name(path: Path) -> str:
    return path.relative_to(CONSOLE / "templates").as_posix()


class _Words(HTMLParser):
    """What of a template's own text people would read."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.code = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.code += tag in ("code", "pre", "kbd")
        kind = dict(attrs).get("type")
        for attribute, value in attrs:
            if (
                attribute in _READ
                and value
                and _LETTERS.search(value)
                and not (attribute == "value" and kind != "submit")
            ):
                self.found.append(f"{attribute}={value}")

    def handle_endtag(self, tag: str) -> None:
        self.code -= tag in ("code", "pre", "kbd")

    def handle_data(self, data: str) -> None:
        # A macro may make nothing but attributes.
        data = re.sub(r'\b[a-z-]+="[^"]*"', "", data)
        if not self.code and _LETTERS.search(data):
            self.found.append(data.strip())


@pytest.mark.parametrize("template", TEMPLATES, ids=name)
def test_a_template_has_no_words_of_its_own(template: Path) -> None:
    reader = _Words()
    reader.feed(_JINJA.sub("", template.read_text("utf-8")))
    assert reader.found == []


@pytest.mark.parametrize("template", TEMPLATES, ids=name)
def test_a_template_asks_only_for_words_that_are_there(template: Path) -> None:
    tree = environment().parse(template.read_text("utf-8"))
    asked = [
        call.args[0].value
        for call in tree.find_all(nodes.Call)
        if isinstance(call.node, nodes.Name) and call.node.name == "t" and isinstance(call.args[0], nodes.Const)
    ]
    assert [one for one in asked if not wording.has(one)] == []


@pytest.mark.parametrize("template", TEMPLATES, ids=name)
def test_a_template_keeps_to_the_policy_on_scripts_and_styles(template: Path) -> None:
    text = template.read_text("utf-8")
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=|javascript:", text) == []
    assert re.findall(r"<script(?![^>]*\ssrc=)", text) == []


@pytest.mark.parametrize("template", TEMPLATES, ids=name)
def test_a_template_can_be_read(template: Path) -> None:
    environment().get_template(name(template))


def test_code_asks_only_for_words_that_are_there() -> None:
    asked = {
        found: path.name
        for path in CONSOLE.rglob("*.py")
        for found in re.findall(r'(?:text|onwards)\([^()"]*"([a-z_]+(?:\.[a-z0-9_]+)+)"', path.read_text("utf-8"))
    }
    assert {one: file for one, file in asked.items() if not wording.has(one)} == {}


def test_words_that_nobody_asks_for_are_gone() -> None:
    """A name that is put together from data is found by its beginning."""
    every = "".join(path.read_text("utf-8") for path in [*CONSOLE.rglob("*.py"), *TEMPLATES])
    constant = set(re.findall(r"[a-z_]+(?:\.[a-z0-9_]+)+", every))
    begun = set(re.findall(r"""["']([a-z0-9_.]+\.)["'{]""", every))
    begun |= set(re.findall(r"""["']([a-z_]+(?:\.[a-z_]+)*\.)\{""", every))
    unasked = [one for one in wording.texts() if one not in constant and not any(map(one.startswith, begun))]
    assert unasked == []


def test_a_text_with_forms_goes_by_its_count() -> None:
    assert wording.text("frame.forms.problems", count=1) == "One field needs your attention."
    assert wording.text("frame.forms.problems", count=3) == "3 fields need your attention."
