"""Commands that people try from a shell: an event of their own, a call through the instance; pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.catalogue.call_model import Method
from gateway.provisioning.details import Details

_AUTH = "Authorization: User $USER_SECRET, Organization $ORGANIZATION_SECRET"


@dataclass(frozen=True, slots=True)
class Command:
    """`name` names its words."""

    name: str
    text: str


def of(public_url: str, current: Details, *, with_token: bool) -> list[Command]:
    """What can be tried with this instance; without its token there is a variable in its place."""
    return list(_commands(public_url, current, current.element_token if with_token else "$ELEMENT_TOKEN"))


def _commands(public_url: str, current: Details, token: str) -> Iterator[Command]:
    instance_id = current.instance.id
    if current.connector.has_webhook:
        yield Command("test", f'curl -X POST "{public_url}/api/v1/instances/{instance_id}/send" \\\n  -H "{_AUTH}"')
    method = next(filter(_is_simple, current.connector.methods.values()), None)
    if method is not None:
        path = "".join(part for part in method.request.path.parts if isinstance(part, str)).lstrip("/")
        url = f"{public_url}/elements/api-v2/{path}"
        yield Command("call", f'curl "{url}" \\\n  -H "Authorization: User $USER_SECRET, Element {token}"')
    yield Command("events", f'curl "{public_url}/instances/{instance_id}/events" \\\n  -H "{_AUTH}"')


def _is_simple(method: Method) -> bool:
    """Whether it only reads, and needs nothing that somebody would have to know."""
    if method.request.verb != "GET" or method.body is not None:
        return False
    path = method.request.path.parts
    is_plain = all(isinstance(part, str) for part in path) and "://" not in "".join(map(str, path))
    return is_plain and not any(
        one.required and one.default is None and one.fixed is None for one in method.query.values()
    )
