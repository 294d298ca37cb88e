"""Connector files for tests: one that is right, and what is changed in it."""

from pathlib import Path

from gateway.catalogue.load import load_file
from gateway.catalogue.model import Connector
from gateway.errors import CatalogueError

HEAD = """
format = 1
key = "shop"
name = "Shop"
version = "1.0.0"
"""
SECRET = """
[[config]]
key = "secret"
name = "Secret"
secret = true
multiple = true
"""
MAPPING = """
[webhook]
type = "{body:type}"
"""
PROOF = """
[[webhook.verify]]
scheme = "hmac"
hash = "sha256"
secret = "config:secret"
signature = "header:x-signature"
signed = "{raw}"
"""
WEBHOOK = SECRET + MAPPING + PROOF


def connector_of(folder: Path, text: str, head: str = HEAD) -> Connector:
    """The connector that a text describes."""
    file = folder / "shop.toml"
    file.write_text(head + text)
    return load_file(file)


def problems_of(folder: Path, text: str, head: str = HEAD) -> str:
    """What is wrong with a text; empty where nothing is."""
    try:
        connector_of(folder, text, head)
    except CatalogueError as error:
        return str(error)
    return ""
