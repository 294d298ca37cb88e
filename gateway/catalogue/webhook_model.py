"""The webhook side of a connector: how a delivery is proved, answered and read."""

from dataclasses import dataclass
from typing import Literal

from gateway.catalogue.call_model import Follow, Request
from gateway.catalogue.change_map import ChangeMap
from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.locator import Locator
from gateway.catalogue.template import Json, Template


@dataclass(frozen=True, slots=True)
class Condition:
    """An entry's value that must be one of these for a rule to apply."""

    key: str
    values: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verify:
    """One way to prove that a delivery comes from the vendor; which fields count depends on the scheme."""

    scheme: str
    conditions: tuple[Condition, ...] = ()
    networks: tuple[str, ...] = ()
    hash: str = ""
    secret: tuple[str, ...] = ()
    secret_prefix: str | None = None
    secret_encoding: str
    signature: tuple[Locator, ...] = ()
    split: str | None = None
    prefix: str | None = None
    prefix_optional: str | None = None
    encoding: str = "hex"
    signed: Template | None = None
    timestamp: Locator | None = None
    required: tuple[Locator, ...] = ()
    timestamp_unit: str = "s"
    tolerance: int | None = None
    username: str | None = None
    password: str | None = None
    token: Locator | None = None
    per_item: bool = False
    body_digest: "BodyDigest | None" = None
    replay: Locator | None = None
    key: Template | None = None
    key_format: str | None = None
    key_api: str | None = None
    key_id: Locator | None = None
    key_field: str | None = None
    algorithm: str | None = None
    cert_url: Locator | None = None
    cert_hosts: tuple[str, ...] = ()
    cert_names: tuple[str, ...] = ()
    cert_chain: str = "pinned"
    envelope: Locator | None = None
    algorithms: tuple[str, ...] = ()
    jwks_url: Template | None = None
    issuer: Template | None = None
    audience: Template | None = None
    claims: tuple[tuple[str, Template], ...] = ()
    max_age: int | None = None
    method: str | None = None

    @property
    def words_signed(self) -> frozenset[str]:
        """The named parts of what is signed."""
        return self.signed.words if self.signed else frozenset()


@dataclass(frozen=True, slots=True)
class BodyDigest:
    """A hash of the raw body that must stand somewhere signed: in the request, or in a claim."""

    hash: str
    encoding: str
    value: Locator | None
    claim: str | None


@dataclass(frozen=True, slots=True)
class When:
    """What marks a request as a handshake; a value of None means that the field is there."""

    methods: frozenset[str]
    fields: tuple[tuple[Locator, frozenset[str] | None], ...]


@dataclass(frozen=True, slots=True)
class Compute:
    """A hash or keyed hash that a vendor wants to see."""

    kind: Literal["hash", "hmac"]
    hash: str
    secret: str | None
    input: Template
    encoding: str


@dataclass(frozen=True, slots=True)
class Respond:
    """An answer as the file words it."""

    status: int
    content_type: str | None
    body: Template | None
    json: Json
    headers: tuple[tuple[str, Template], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """A request by which a vendor probes the address before or between deliveries."""

    when: When
    check: tuple[tuple[Locator, Template], ...]
    verify: bool
    compute: Compute | None
    save_once: tuple[tuple[str, Locator], ...]
    confirm_url: Locator | None
    confirm_hosts: tuple[str, ...]
    respond: Respond

    @property
    def signs_words(self) -> bool:
        """Whether it answers anybody's word with that word's keyed hash."""
        return not self.verify and self.compute is not None and self.compute.kind == "hmac"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribe:
    """How the gateway makes, renews and removes the vendor's registration."""

    request: Request
    body: Json
    body_type: str
    save: tuple[tuple[str, Locator], ...]
    after: Follow | None
    #: What is asked for, and what the vendor says about it; durations in milliseconds.
    lifetime: int | None
    expires: Locator | int | None
    expires_format: str
    renew: Request | None
    renew_body: Json
    renew_before: int | None
    check: Request | None
    check_url: Locator | None
    list: Request | None
    list_items: Locator | None
    list_id: Locator | None
    list_url: Locator | None
    delete: Request | None
    delete_body: Json

    @property
    def saved(self) -> tuple[str, ...]:
        """The entries that a registration fills."""
        return tuple(key for key, _ in (*self.save, *(self.after.save if self.after else ())))


@dataclass(frozen=True, slots=True)
class Tenant:
    """Whose a delivery is: the account at a place of it is an entry of the instance, between two fixed texts."""

    account: Locator
    entry: str
    before: str = ""
    after: str = ""

    def of(self, config: ConfigView) -> str | None:
        """The account of an instance; None where its entry is empty."""
        value = config.get(self.entry)
        return f"{self.before}{value}{self.after}" if value else None

    def value(self, account: str) -> str | None:
        """What the entry of an instance with this account holds; None where no instance can have it."""
        inner = len(account) - len(self.before) - len(self.after)
        if inner <= 0 or not (account.startswith(self.before) and account.endswith(self.after)):
            return None
        return account[len(self.before) : len(self.before) + inner]


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Everything about deliveries of one vendor."""

    changes: ChangeMap
    docs: str
    notes: tuple[str, ...]
    scope: Literal["instance", "connector"]
    account: Locator | None
    account_config: str | None
    account_equals: Template | None
    tenant: Tenant | None
    items: Locator | None
    form_field: str | None
    ack: Respond | None
    ordered: bool
    methods: frozenset[str]
    verify: tuple[Verify, ...]
    handshakes: tuple[Handshake, ...]
    subscribe: Subscribe | None
