"""Operations as data: what a request may hold and what is answered, apart from how OpenAPI writes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
JSON = "application/json"
#: Ways to say who calls, as the document names them; each tuple is one way, and any of them will do.
Security = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value beside the body."""

    name: str
    place: Literal["query", "path", "header"]
    schema: Json
    text: str = ""
    required: bool = False

    def written(self) -> Json:
        """The parameter as OpenAPI has it."""
        found: Json = {"name": self.name, "in": self.place, "required": self.required, "schema": self.schema}
        return found | {"description": self.text} if self.text else found


@dataclass(frozen=True, slots=True)
class Body:
    """A request's body; `example` is one that is taken."""

    schema: Json
    required: bool = True
    media: tuple[str, ...] = (JSON,)
    example: Any = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered where all went well; without a schema there is no body."""

    text: str
    schema: Json | None = None
    media: str = JSON
    headers: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A method at a path; `refusals` are statuses beyond those that its parameters and its body bring with them."""

    id: str
    method: str
    path: str
    summary: str
    text: str = ""
    parameters: Sequence[Parameter] = ()
    body: Body | None = None
    answers: Mapping[int, Answer]
    refusals: tuple[int, ...] = ()
    #: None: as the chapter has it.
    security: tuple[Security, ...] | None = None
    #: What stands before the path where it is to be had in several places.
    prefixes: tuple[str, ...] = ("",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusals:
    """The shape in which a surface says what went wrong, and what each status of it means."""

    name: str
    schema: Json
    texts: Mapping[int, str]
    media: str = JSON
    #: Statuses that every operation may have.
    always: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """Operations that belong together, with the schemas that they name."""

    name: str
    text: str
    operations: Sequence[Operation]
    schemas: Mapping[str, Json] = field(default_factory=dict)
    refusals: Refusals
    security: tuple[Security, ...] = ()
