"""What locators and templates read from: one request or answer, one record, one configuration."""

from collections.abc import Mapping
from copy import copy
from functools import cached_property
from types import MappingProxyType
from urllib.parse import parse_qsl

from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.document import Document, read

NOTHING: Mapping[str, str] = MappingProxyType({})
NO_CONFIG = ConfigView(NOTHING)
_NO_DOCUMENT = Document(b"null", None)
_MAX_FIELDS = 10_000
_MAX_SIG_FIELDS = 256


class Sources:
    """The material of one evaluation; body, query and form are read only when something asks for them."""

    sig_text = ""
    sig_separator = ","
    last: object = None
    token: object = None

    def __init__(
        self,
        *,
        config: ConfigView = NO_CONFIG,
        defaults: Mapping[str, str] = NOTHING,
        method: str = "",
        url: str = "",
        query_text: str = "",
        headers: Mapping[str, str] = NOTHING,
        raw: bytes = b"",
        document: Document | None = None,
        item: Document | None = None,
        words: Mapping[str, str] = NOTHING,
    ) -> None:
        self.config = config
        self.defaults = defaults
        self.method = method
        self.url = url
        self.query_text = query_text
        self.headers = headers
        self.raw = raw
        self.document = document
        self.item = item
        self.words = words

    def read_as(self, document: Document) -> None:
        """Takes a body that was read already."""
        self.document = document
        self.body = document.value

    @cached_property
    def body(self) -> object:
        """The value of the body; None where it is no JSON."""
        if self.document is None:
            found = read(self.raw)
            self.document = found if isinstance(found, Document) else _NO_DOCUMENT
        return self.document.value

    @cached_property
    def query(self) -> Mapping[str, str]:
        """The query parameters; of equal names the first counts."""
        return first_values(self.query_text)

    @cached_property
    def form(self) -> Mapping[str, str]:
        """The fields of a form body; of equal names the first counts."""
        return first_values(self.raw.decode("utf-8", "surrogateescape"))

    @cached_property
    def sig(self) -> Mapping[str, str]:
        """The fields of a signature header such as `t=1,v1=…`; of equal names the first counts."""
        fields: dict[str, str] = {}
        for part in self.sig_text.split(self.sig_separator, _MAX_SIG_FIELDS):
            name, equals, value = part.strip().partition("=")
            if equals:
                fields.setdefault(name, value)
        return fields

    def setting(self, key: str) -> str | None:
        """A configuration value, or the default of its entry; an empty one counts as none."""
        return self.config.get(key) or self.defaults.get(key) or None

    def exact(self) -> "Sources":
        """The same material with the numbers of body and record as they were written."""
        twin = copy(self)
        vars(twin).pop("body", None)
        twin.document = self.document.exact() if self.document else None
        twin.item = self.item.exact() if self.item else None
        return twin


def pairs(text: str) -> list[tuple[str, str]]:
    """The name and value pairs of a query or form text; bytes that are no UTF-8 stay recoverable."""
    return parse_qsl(text, keep_blank_values=True, errors="surrogateescape", max_num_fields=_MAX_FIELDS)


def first_values(text: str) -> dict[str, str]:
    """Pairs as a mapping in which the first of equal names counts; too many fields are none."""
    try:
        found = pairs(text)
    except ValueError:
        return {}
    return dict(reversed(found))


def octets(text: str) -> bytes:
    """The bytes that a text stands for: those that came in where it was read from a request."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
