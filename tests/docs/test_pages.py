"""What the pages say of links, keys and commands is so."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_type_hints

import click
import pytest

from gateway.cli import main
from gateway.config import Config
from tests.docs.receivers import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LONGEST_README = 150
LONGEST_CONTRIBUTING = 40
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_KEY = re.compile(r"`([a-z]+)\.([a-z_]+)(?: = [^`]*)?`")
_VARIABLE = re.compile(r"GATEWAY_([A-Z]+)__([A-Z_]+)")
_COMMAND = re.compile(r"\bgateway (init|serve|auth|check|migrate|demo|[a-z]+ --)([^`|\n#]*)")
_DEV = re.compile(r"\./dev ([a-z]+)")
_LOG_LINE = re.compile(r"\.(?:debug|info|warning|error|exception)\(\s*\"([a-z_]+\.[a-z_]+)\"")


def names(pages: list[Path]) -> list[str]:
    return [str(page.relative_to(ROOT)) for page in pages]


def sections() -> dict[str, set[str]]:
    hints = get_type_hints(Config).items()
    return {name: set(kind.__struct_fields__) for name, kind in hints if hasattr(kind, "__struct_fields__")}


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    found = _HEADING.findall(_BLOCK.sub("", page.read_text("utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


def broken_links(page: Path) -> Iterator[str]:
    for link in _LINK.findall(_BLOCK.sub("", page.read_text("utf-8"))):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            yield link


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    assert list(broken_links(page)) == []


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_every_key_that_a_page_names_exists(page: Path) -> None:
    text, known = page.read_text("utf-8"), sections()
    written = set().union(*(_LOG_LINE.findall(file.read_text("utf-8")) for file in (ROOT / "gateway").rglob("*.py")))
    named = [(section, key) for section, key in _KEY.findall(text) if section in known]
    named += [(section.lower(), key.lower()) for section, key in _VARIABLE.findall(text)]
    unknown = {
        f"{section}.{key}"
        for section, key in named
        if key.removesuffix("_file") not in known.get(section, set())
        and f"{section}.{key}" not in written
        and not (ROOT / "gateway" / section / key).exists()
        and key not in ("py", "toml")
    }
    assert unknown == set()


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_every_command_that_a_page_names_exists_with_its_options(page: Path) -> None:
    text = page.read_text("utf-8")
    dev = (ROOT / "dev").read_text("utf-8")
    for word in _DEV.findall(text):
        assert f"\n  {word})" in dev, word
    for name, rest in _COMMAND.findall(text):
        command = main.get_command(click.Context(main), name.split()[0])
        assert isinstance(command, click.Command), name
        options = {option for parameter in command.params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= options, (name, rest)


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= LONGEST_README
    assert len((ROOT / "CONTRIBUTING.md").read_text("utf-8").splitlines()) <= LONGEST_CONTRIBUTING


def test_the_image_is_made_from_files_that_are_there() -> None:
    text = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    copied = [line.split()[1:-1] for line in text.splitlines() if line.startswith("COPY ") and "--from" not in line]
    allowed = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    for name in (name for names in copied for name in names):
        assert (ROOT / name).exists(), name
        assert f"!{name}" in allowed


def test_the_arrows_on_the_map_are_those_that_are_checked() -> None:
    layers = re.search(
        r"^layers = \[\n(.*?)^\]", (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    assert layers is not None
    drawn = re.findall(r'"(.+)"', layers[1])
    assert "```\n" + "\n".join(drawn) + "\n```" in (ROOT / "docs" / "map.md").read_text("utf-8")
