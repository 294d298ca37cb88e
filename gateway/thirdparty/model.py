"""A 3rd-party connector: a request that an account declares, and the events that fire it."""

from dataclasses import dataclass, field
from typing import Literal, get_args

from gateway.accounts.model import AccountId, PartnerId
from gateway.instances.model import DestinationState

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
BodyType = Literal["JSON", "FORM", "XML"]
RowKind = Literal["text", "json"]
METHODS: tuple[Method, ...] = get_args(Method)
BODY_TYPES: tuple[BodyType, ...] = get_args(BodyType)
ROW_KINDS: tuple[RowKind, ...] = get_args(RowKind)
DEFAULT_ROOT = "event"


@dataclass(frozen=True, slots=True)
class Header:
    """A header of the request; its value is a template."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class DataRow:
    """One value of the body; its name may be a path, its value is a template, or JSON whose texts are templates."""

    name: str
    value: str
    kind: RowKind = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fires:
    """Which events fire a connector; an empty condition is met by all."""

    instance_ids: tuple[int, ...] = ()
    connectors: tuple[str, ...] = ()
    #: CREATED, UPDATED or DELETED, or what the vendor calls the event.
    event_types: tuple[str, ...] = ()
    object_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What a person enters in the editor."""

    name: str
    method: Method = "POST"
    type: BodyType = "JSON"
    url: str
    headers: tuple[Header, ...] = ()
    username: str | None = None
    password: str | None = None
    data: tuple[DataRow, ...] = ()
    #: The name of the outermost XML element.
    root: str = DEFAULT_ROOT
    fires: Fires = Fires()


@dataclass(frozen=True, slots=True)
class SigningSecret:
    """A `whsec_` secret; None where it counts until it is rotated."""

    value: str
    expires_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ThirdParty:
    """A 3rd-party connector as it is stored, its secrets opened; its id is the number of its destination.

    Nothing of it is to be shown as it stands: `masking.shown` gives the definition that may be.
    """

    id: int
    partner_id: PartnerId
    account_id: AccountId
    definition: Definition
    state: DestinationState
    #: Why it is off, such as `gone` where the other side has answered 410.
    reason: str | None
    signing_secrets: tuple[SigningSecret, ...] = field(repr=False)
    #: Grows with every change; who changes it says which one was read.
    version: int
    created_at: int
    updated_at: int

    @property
    def enabled(self) -> bool:
        """Whether events fire it."""
        return self.state == "active"

    @property
    def place(self) -> str:
        """As much of its URL as is known before an event comes."""
        return self.definition.url.partition("{")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a caller wants; None stands for what was not said, and is kept, or has its usual value in a new one."""

    name: str | None = None
    method: Method | None = None
    type: BodyType | None = None
    url: str | None = None
    headers: tuple[Header, ...] | None = None
    #: An empty text takes the basic authentication away.
    username: str | None = None
    #: None or the mask keeps the stored one.
    password: str | None = None
    data: tuple[DataRow, ...] | None = None
    root: str | None = None
    fires: Fires | None = None
    enabled: bool | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """A new connector, and its signing secret, which is told this once."""

    connector: ThirdParty
    signing_secret: str


SortBy = Literal["name", "url", "method", "type", "date"]
SORTS: tuple[SortBy, ...] = get_args(SortBy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some of a caller's connectors, and how many the search finds in all."""

    items: tuple[ThirdParty, ...]
    total: int
