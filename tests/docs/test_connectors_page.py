"""The page on connectors: its vendor works as it is printed, and no key is missing."""

import asyncio
import json
import os
import re
import tomllib
from pathlib import Path

import pytest

from gateway.catalogue.load import load_file
from gateway.catalogue.locator import SOURCES
from gateway.catalogue.template import WORDS
from gateway.catalogue.words import SCHEMES, TABLES
from gateway.proofs.fixtures import Told, Unusable, read_fixtures
from tests.catalogue.connector_file import HEAD, MAPPING, SECRET
from tests.docs.receivers import ROOT
from tests.kit.command import gateway as command
from tests.kit.gateway import settings, started

PAGE = (ROOT / "docs" / "connectors.md").read_text("utf-8")
_BLOCK = re.compile(r"^```([a-z]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TABLE = re.compile(r"^### `([^`]+)`\n(.*?)(?=^### |\Z)", re.MULTILINE | re.DOTALL)
_WORD = re.compile(r"`([^`]+)`")
ENTRIES = """
[[config]]
key = "webhook.secret"
name = "Secret"
secret = true
[[config]]
key = "webhook.token"
name = "Token"
secret = true
[[config]]
key = "webhook.username"
name = "User"
[[config]]
key = "webhook.password"
name = "Password"
secret = true
[[config]]
key = "webhook.verify"
name = "How"
[[config]]
key = "public.key"
name = "Key"
[[config]]
key = "client.id"
name = "Client"
[methods.payment_get]
request = "GET /payments/{id}"
"""


def blocks(kind: str) -> list[str]:
    return [text for found, text in _BLOCK.findall(PAGE) if found == kind]


def block(kind: str, mark: str) -> str:
    [found] = [text for text in blocks(kind) if mark in text]
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The worked example, written where the page says."""
    connectors = tmp_path / "connectors"
    (connectors / "tests").mkdir(parents=True)
    (connectors / "parcelo.toml").write_text(block("toml", 'key = "parcelo"'))
    (connectors / "tests" / "parcelo.json").write_text(block("json", '"connector": "parcelo"'))
    return tmp_path


def test_the_worked_example_passes_as_printed(folder: Path) -> None:
    assert command("connectors", "lint", "connectors", cwd=folder).stdout == "1 connector file: good.\n"
    found = command("connectors", "test", "connectors", cwd=folder)
    assert (found.returncode, found.stdout) == (0, block("", "✓ parcelo: a delivered shipment"))


def test_the_slip_of_the_example_is_told_as_printed(folder: Path) -> None:
    file = folder / "connectors" / "parcelo.toml"
    file.write_text(file.read_text().replace("tolerance", "tolerence"))
    [told] = [line for line in block("", "did you mean 'tolerance'").splitlines() if line]
    assert command("connectors", "lint", "connectors", cwd=folder).stdout.splitlines()[0] == told


async def test_the_vendor_of_the_example_sends_and_the_event_is_there(folder: Path) -> None:
    config = settings(folder / "data", "", catalogue={"paths": [str(folder / "connectors")]})
    async with started(config) as one:
        # An address is made of the public URL, which was settled before the port was known.
        here = '"$GATEWAY/in/$(field webhookUrl | sed s,.*/,,)"'
        script = block("sh", "plk_a_secret").replace('"$(field webhookUrl)"', here)
        process = await asyncio.create_subprocess_exec(
            *("bash", "-euc", script),
            env={**os.environ, "GATEWAY": one.url, "AUTH": one.auth["Authorization"]},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        said, errors = await process.communicate()
    assert process.returncode == 0, errors
    answered, listed = said.decode().splitlines()
    assert json.loads(answered) == {"status": "accepted"}
    [event] = json.loads(listed)
    assert event["elementKey"] == "parcelo", event


def test_the_page_names_every_key_of_every_table_and_no_other() -> None:
    told = {}
    for name, text in _TABLE.findall(PAGE):
        rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
        told[name] = {word for row in rows for word in _WORD.findall(row)}
    assert told == {table: set(keys) for table, keys in TABLES.items()}


def test_the_page_names_every_source_and_every_word() -> None:
    rows = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `")]
    named = {word for row in rows for word in _WORD.findall(row)}
    assert {f"{source}:" for source in SOURCES} <= named
    assert {f"{{{word}}}" for word in WORDS} <= named


def test_every_proof_of_the_page_can_be_loaded(tmp_path: Path) -> None:
    [examples] = [text for text in blocks("toml") if text.startswith("# hmac:")]
    proofs = ["\n".join(["[[webhook.verify]]", part]) for part in re.split(r"\n(?=#)", examples) if "scheme" in part]
    assert {tomllib.loads(one)["webhook"]["verify"][0]["scheme"] for one in proofs} == set(SCHEMES)
    for proof in proofs:
        file = tmp_path / "shop.toml"
        file.write_text(HEAD + ENTRIES + MAPPING + proof)
        load_file(file)


def test_every_handshake_of_the_page_can_be_loaded(tmp_path: Path) -> None:
    file = tmp_path / "shop.toml"
    proof = '[[webhook.verify]]\nscheme = "token"\ntoken = "header:x"\nsecret = "config:secret"\n'
    file.write_text(HEAD + ENTRIES + SECRET + MAPPING + proof + block("toml", "[[webhook.handshake]]"))
    webhook = load_file(file).webhook
    assert webhook is not None
    assert len(webhook.handshakes) == 4


def test_the_page_names_every_key_of_a_fixture(folder: Path) -> None:
    section = PAGE.partition("\n## Fixtures\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    assert {word for row in rows for word in _WORD.findall(row)} == set(Told.__struct_fields__)
    assert not isinstance(read_fixtures(folder / "connectors" / "tests" / "parcelo.json"), Unusable)


def test_the_poll_of_the_page_can_be_loaded(tmp_path: Path) -> None:
    file = tmp_path / "shop.toml"
    pages = '[pagination.pages]\ntype = "page"\nparam = "page"\n'
    file.write_text(HEAD + pages + block("toml", 'name = "shipments"'))
    [poll] = load_file(file).polls
    assert (poll.name, poll.overlap, poll.interval.max) == ("shipments", 120_000, 3_600_000)
