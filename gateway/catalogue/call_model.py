"""The outbound side of a connector: authentication, limits, paging, methods, resources, polls."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from gateway.catalogue.change_map import ChangeMap
from gateway.catalogue.dates import ReadDate
from gateway.catalogue.locator import Locator
from gateway.catalogue.template import Json, Template

AuthType = Literal["none", "api_key", "basic", "bearer", "oauth2", "session", "jwt"]


@dataclass(frozen=True, slots=True)
class Request:
    """A verb, and a path or URL."""

    verb: str
    path: Template


@dataclass(frozen=True, slots=True)
class Inject:
    """Where a token goes that is not sent as `Authorization: Bearer`."""

    place: Literal["header", "query"]
    name: str
    value: Template


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth:
    """One OAuth 2 grant."""

    grant: str
    authorize_url: Template | None
    token_url: Template
    revoke_url: Template | None
    scopes: tuple[str, ...]
    scope_separator: str
    pkce: bool
    client_auth: str
    body_format: str
    authorize_params: Mapping[str, Template]
    token_params: Mapping[str, Template]
    token_headers: Mapping[str, Template]
    token: Locator
    refresh: Locator
    expires_in: Locator
    never_expires: bool
    inject: Inject | None
    save: tuple[tuple[str, Locator], ...]
    after: "Follow | None"


@dataclass(frozen=True, slots=True)
class Follow:
    """One request after a login, and what is kept of its answer."""

    request: Request
    save: tuple[tuple[str, Locator], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A login call that gives a token."""

    request: Request
    body: Json
    token: Locator
    expires: Locator | int | None
    inject: Inject | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth:
    """One way in which calls prove who they are; which fields count depends on the type."""

    id: str
    type: AuthType
    place: Literal["header", "query"] = "header"
    name: Template | None = None
    value: Template | None = None
    username: Template | None = None
    password: Template | None = None
    token: Template | None = None
    oauth: OAuth | None = None
    session: Session | None = None
    algorithm: str | None = None
    key: Template | None = None
    claims: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a vendor allows, and how it says that it was too much."""

    requests: int | None
    per: int | None
    burst: int | None
    concurrency: int | None
    scope: str
    status: tuple[int, ...]
    retry_after: tuple[Locator, ...]
    reset_at: tuple[Locator, ...]
    reset_unit: str
    remaining: Locator | None
    used: Locator | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRule:
    """Which answers mean what; the first rule that matches counts."""

    status: frozenset[int]
    header: Mapping[str, frozenset[str]]
    body: Mapping[str, frozenset[str]]
    body_contains: str | None
    action: str
    message: Locator | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Http:
    """How the vendor's API is reached."""

    base_url: Template | None
    headers: Mapping[str, Template]
    timeout: int | None
    idempotency_header: str | None
    hosts: tuple[str, ...]
    check: Request | None
    limits: Limits | None
    errors: tuple[ErrorRule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pagination:
    """How the next page is asked for."""

    id: str
    type: str
    param: str | None
    where: Literal["query", "body"]
    next: Locator | None
    rel: str | None
    more: Locator | None
    size_param: str | None
    size: int | None
    offset_param: str | None
    first: int | None
    max_pages: int
    max_records: int | None
    omit: tuple[str, ...]
    drop_params: bool


@dataclass(frozen=True, slots=True)
class Step:
    """A member of a body on the way to a field; `many` where it is a list."""

    name: str
    many: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One parameter or body field of a method; `at` is where in the body it goes, where that is deeper than its top."""

    name: str
    type: str = "string"
    required: bool = False
    default: str | None = None
    choices: tuple[str, ...] = ()
    description: str = ""
    fixed: Template | None = None
    at: tuple["Step", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One call that a connector offers."""

    id: str
    name: str
    category: str
    description: str
    request: Request
    params: Mapping[str, Field]
    query: Mapping[str, Field]
    any_query: bool
    body: Literal["json", "form", "any", "raw"] | None
    fields: Mapping[str, Field]
    records: Locator | None
    paginate: str | None
    headers: Mapping[str, Template]


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """How comparisons are written: each by a template of {field} and {value}; without `param` each is a parameter."""

    param: str | None
    join: str
    comparisons: Mapping[str, Template]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """An Open Connectors resource: a method id for each verb that works; its name may be a path with {parameters}.

    `order_by` and `fields` name the query parameters by which the vendor sorts, and chooses what records hold.
    """

    name: str
    methods: Mapping[str, str]
    where: Where | None
    objects: str
    order_by: str | None = None
    fields: str | None = None


@dataclass(frozen=True, slots=True)
class Interval:
    """How often is usual, and the bounds, in milliseconds."""

    default: int
    min: int
    max: int


@dataclass(frozen=True, slots=True)
class Expired:
    """The answer of a vendor that does not know a token any more."""

    status: frozenset[int] = frozenset({410})
    body_contains: str | None = None

    def says(self, status: int, body: bytes) -> bool:
        """Whether an answer says so."""
        return status in self.status and (self.body_contains is None or self.body_contains.encode() in body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """One endpoint that is asked for changes; the facts about it, not the algorithm.

    With mode `token` each poll goes on from `{token}`: what the `token` locator found in the last answer before, and at
    the beginning in the answer to `first_token`.
    """

    name: str
    description: str
    changes: ChangeMap
    request: Request
    query: tuple[tuple[Template, Template], ...]
    body: Json
    paginate: str | None
    records: Locator
    order: Literal["asc", "desc", "any"]
    id: Locator
    updated: Locator | None
    read_updated: ReadDate
    created: Locator | None
    read_created: ReadDate
    created_tolerance: int
    deleted_when: tuple[tuple[Locator, frozenset[str]], ...]
    mode: Literal["since", "token", "snapshot"]
    from_format: str
    overlap: int
    settle: int | None
    start: Literal["now", "beginning"]
    retention: int | None
    interval: Interval
    min_interval_from: Locator | None
    etag: bool
    limits: Limits | None
    #: What only records have that are of another list.
    skip_if: Locator | None = None
    token: Locator | None = None
    first_token: Request | None = None
    first_token_body: Json = None
    token_expired: Expired = Expired()
