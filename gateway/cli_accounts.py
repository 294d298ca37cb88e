"""The commands that let somebody in or shut them out: `partner`, `user`, `credential`."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args
from urllib.parse import quote

import click

from gateway.accounts.model import Role
from gateway.cli_asking import CONFIG, JSON, URL, run
from gateway.client import Api, Query, open_api

_ONCE = "Keep the secrets now: they are not shown again."
_STALE = "Where the configuration or the file of secrets names the old secret, write the new one there."
_PARTNER = click.option("--partner", metavar="ID", help="Another partner than the first one.")


def _options(command: Callable[..., None]) -> Callable[..., None]:
    return CONFIG(URL(JSON(command)))


@click.group()
def partner() -> None:
    """Who the gateway works for: partners, each with accounts, users and credentials of its own."""


@partner.command("add")
@click.argument("name")
@click.option("--username", metavar="NAME", default="admin", show_default=True, help="Its first administrator.")
@_options
def add_partner(name: str, username: str, **how: Any) -> None:
    """Make a partner with an account, an administrator and a credential set."""
    _done("POST", "/partners", {"name": name, "username": username}, how, secrets=True)


@partner.command("list")
@_options
def list_partners(**how: Any) -> None:
    """List the partners."""
    _listed("/partners", ("id", "name", "created_at"), {}, how)


@partner.command("rotate")
@click.argument("id_", metavar="ID")
@_options
def rotate_partner(id_: str, **how: Any) -> None:
    """Put another organization secret in place of a partner's; the old one stops working at once."""
    _done("POST", f"/partners/{_quoted(id_)}/rotate", None, how, secrets=True, note=_STALE)


@partner.command("revoke")
@click.argument("id_", metavar="ID")
@click.confirmation_option(prompt="Every secret of this partner stops working. Go on?")
@_options
def revoke_partner(id_: str, **how: Any) -> None:
    """Make every secret of a partner useless; its instances stay, and its events go on."""
    _done("POST", f"/partners/{_quoted(id_)}/revoke", None, how, said=f"Partner {id_} is shut out.")


@click.group()
def user() -> None:
    """People and programs of an account; a user's secret opens that account on the Open Connectors API."""


@user.command("add")
@click.argument("username")
@click.option("--role", type=click.Choice(get_args(Role)), default="power_user", show_default=True)
@click.option("--account", metavar="ID", help="Their account. Without it: the first administrator's.")
@click.option("--password", is_flag=True, help="Ask for a password too.")
@_PARTNER
@_options
def add_user(username: str, role: str, account: str | None, *, password: bool, partner: str | None, **how: Any) -> None:
    """Add a user, and show the secret."""
    given = click.prompt("Password", hide_input=True, confirmation_prompt=True) if password else None
    body = {"username": username, "role": role, "account_id": account, "password": given}
    wanted = {name: value for name, value in body.items() if value is not None}
    _done("POST", "/users", wanted, how, {"partner_id": partner}, secrets=True)


@user.command("list")
@click.option("--account", metavar="ID", help="Only those of one account.")
@_PARTNER
@_options
def list_users(account: str | None, partner: str | None, **how: Any) -> None:
    """List the users."""
    query = {"account_id": account, "partner_id": partner}
    _listed("/users", ("id", "username", "role", "account_id"), query, how)


@user.command("rotate")
@click.argument("id_", metavar="ID", type=click.IntRange(1))
@_PARTNER
@_options
def rotate_user(id_: int, partner: str | None, **how: Any) -> None:
    """Put another secret in place of a user's; the old one stops working at once."""
    _done("POST", f"/users/{id_}/rotate", None, how, {"partner_id": partner}, secrets=True, note=_STALE)


@user.command("revoke")
@click.argument("id_", metavar="ID", type=click.IntRange(1))
@_PARTNER
@_options
def revoke_user(id_: int, partner: str | None, **how: Any) -> None:
    """Remove a user, with sessions and tokens."""
    _done("DELETE", f"/users/{id_}", None, how, {"partner_id": partner}, said=f"User {id_} is removed.")


@click.group()
def credential() -> None:
    """Credential sets: a client ID and a secret, exchanged for access tokens at /oauth/token."""


@credential.command("add")
@click.argument("name", default="")
@_PARTNER
@_options
def add_credential(name: str, partner: str | None, **how: Any) -> None:
    """Add a credential set, and show the secret."""
    _done("POST", "/credentials", {"name": name}, how, {"partner_id": partner}, secrets=True)


@credential.command("list")
@_PARTNER
@_options
def list_credentials(partner: str | None, **how: Any) -> None:
    """List the credential sets that are not revoked."""
    _listed("/credentials", ("client_id", "name", "created_at"), {"partner_id": partner}, how)


@credential.command("rotate")
@click.argument("client_id")
@_PARTNER
@_options
def rotate_credential(client_id: str, partner: str | None, **how: Any) -> None:
    """Put another secret in place of a set's; tokens that were given for the old one stay."""
    path = f"/credentials/{_quoted(client_id)}/rotate"
    _done("POST", path, None, how, {"partner_id": partner}, secrets=True)


@credential.command("revoke")
@click.argument("client_id")
@_PARTNER
@_options
def revoke_credential(client_id: str, partner: str | None, **how: Any) -> None:
    """Revoke a set; its tokens stop working at once."""
    path = f"/credentials/{_quoted(client_id)}"
    _done("DELETE", path, None, how, {"partner_id": partner}, said=f"Credential set {client_id} is revoked.")


def _done(
    method: str,
    path: str,
    body: Any,
    how: Mapping[str, Any],
    query: Query | None = None,
    *,
    secrets: bool = False,
    said: str | None = None,
    note: str = "",
) -> None:
    """Ask for it, and tell what came of it."""

    async def ask(api: Api) -> Any:
        return await api.ask(method, f"/api/v1{path}", query, body)

    found = _asked(ask, how)
    if how["as_json"]:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    elif said is not None:
        click.echo(said)
    else:
        _tell(found)
    if secrets and not how["as_json"]:
        click.echo(f"\n{_ONCE}{' ' + note if note else ''}", err=True)


def _listed(path: str, columns: Sequence[str], query: Query, how: Mapping[str, Any]) -> None:
    async def ask(api: Api) -> list[dict[str, Any]]:
        return [one async for one in api.pages(f"/api/v1{path}", query)]

    found = _asked(ask, how)
    if how["as_json"]:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    rows = [tuple(column.upper() for column in columns)]
    rows += [tuple(_plain(one[column]) for column in columns) for one in found]
    widths = [max(len(row[n]) for row in rows) for n in range(len(columns))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _asked(ask: Callable[[Api], Any], how: Mapping[str, Any]) -> Any:
    path: Path | None = how["path"]

    async def within() -> Any:
        async with open_api(path, how["url"]) as api:
            return await ask(api)

    return run(within)


def _tell(found: Mapping[str, Any], within: str = "") -> None:
    """Names and values, line by line."""
    for name, value in found.items():
        if isinstance(value, dict):
            _tell(value, f"{within}{name}.")
        else:
            click.echo(f"{within}{name}: {_plain(value)}")


def _plain(value: object) -> str:
    """A value that cannot do anything to a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(value))


def _quoted(text: str) -> str:
    return quote(text, safe="")
