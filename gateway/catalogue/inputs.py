"""What a method takes, one by one: its parameters, and the fields of its body."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from gateway.catalogue.call_model import Field, Method
from gateway.catalogue.model import Connector
from gateway.catalogue.template import Word

#: `open` takes an object of query parameters, and `body` the whole body, where nothing more is declared.
Place = Literal["path", "query", "page", "open", "field", "body"]
_GIVEN_BY_GATEWAY = frozenset({"callback_url", "from", "now", "access_token"})
_WHOLE_BODY = Field(name="body", type="json", description="The whole body as it is sent.")
_ANY_QUERY = Field(name="query", type="object", description="Further query parameters, by their names.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One thing that a caller may give to a method, and where it goes."""

    place: Place
    name: str
    declared: Field

    @property
    def is_field(self) -> bool:
        """Whether it belongs to the body."""
        return self.place in ("field", "body")


def inputs_of(connector: Connector, method: Method) -> tuple[Input, ...]:
    """All inputs of a method: path, query, paging, body; those that the connector fills itself are none."""
    return (*_path(method), *_query(method), *_paging(connector, method), *_body(method))


def _path(method: Method) -> Iterator[Input]:
    in_path = [part.name for part in method.request.path.parts if isinstance(part, Word)]
    fixed = [one.fixed for one in (*method.query.values(), *method.fields.values()) if one.fixed is not None]
    others = sorted({word for template in (*fixed, *method.headers.values()) for word in template.words})
    verb = ["verb"] if "{verb}" in method.request.verb else []
    for name in dict.fromkeys((*verb, *in_path, *others)):
        if name not in _GIVEN_BY_GATEWAY and (name != "verb" or verb):
            usual = Field(name=name, required=name in in_path)
            yield Input(place="path", name=name, declared=method.params.get(name, usual))


def _query(method: Method) -> Iterator[Input]:
    for name, declared in method.query.items():
        if declared.fixed is None:
            yield Input(place="query", name=name, declared=declared)
    if method.any_query:
        yield Input(place="open", name="query", declared=_ANY_QUERY)


def _paging(connector: Connector, method: Method) -> Iterator[Input]:
    """The parameters by which the vendor is asked for another page, where the method declares none of that name."""
    paging = connector.pagination.get(method.paginate or "")
    if paging is None or paging.where != "query":
        return
    said = (
        (paging.size_param, "How many records a page has."),
        (paging.offset_param, "How many records are left out before the page."),
        (paging.param, "Which page is asked for, as the answer before names or counts it."),
    )
    for name, description in said:
        if name is not None and name not in method.query and not method.any_query:
            yield Input(place="page", name=name, declared=Field(name=name, description=description))


def _body(method: Method) -> Iterator[Input]:
    if method.body is None:
        return
    if not method.fields:
        yield Input(place="body", name="body", declared=_WHOLE_BODY)
    for name, declared in method.fields.items():
        if declared.fixed is None:
            yield Input(place="field", name=name, declared=declared)
