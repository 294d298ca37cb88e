"""What locators and templates read from: one request or answer, one record, one configuration."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING
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

    # Slots, and lazy ones filled by `__getattr__`: this is made twice for every delivery, and read twenty times.
    __slots__ = (
        "_sig", "body", "config", "defaults", "document", "form", "headers", "item", "last", "method", "query",
        "query_text", "raw", "sig_separator", "sig_text", "structured", "token", "url", "words",
    )  # fmt: skip
    #: The value of the body; None where it is no JSON.
    body: object
    #: The query parameters, and the fields of a form body; of equal names the first counts.
    query: Mapping[str, str]
    form: Mapping[str, str]

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
        self.last: object = None
        self.token: object = None
        #: Entries whose text is JSON, and goes into a body as such.
        self.structured: frozenset[str] = frozenset()
        self.sig_text = ""
        self.sig_separator = ","
        self._sig: Mapping[str, str] | None = None

    if not TYPE_CHECKING:  # what the checker knows is above

        def __getattr__(self, name):
            make = _READ_LATE.get(name)
            if make is None:
                raise AttributeError(name)
            value = make(self)
            setattr(self, name, value)
            return value

    def read_signature(self, text: str, separator: str) -> None:
        """Takes the text that the fields of the signature are read from."""
        # Another rule may have read another header.
        self.sig_text, self.sig_separator, self._sig = text, separator, None

    def read_envelope(self, fields: Mapping[str, str]) -> None:
        """Takes the fields of the signature as they are."""
        self._sig = fields

    @property
    def documents(self) -> Mapping[str, Document | None]:
        """The texts that the values of body and item were read from."""
        return {"body": self.document, "item": self.item}

    def read_as(self, document: Document) -> None:
        """Takes a body that was read already."""
        self.document = document
        self.body = document.value

    @property
    def sig(self) -> Mapping[str, str]:
        """The fields of a signature header such as `t=1,v1=…`; of equal names the first counts."""
        if self._sig is None:
            fields: dict[str, str] = {}
            for part in self.sig_text.split(self.sig_separator, _MAX_SIG_FIELDS):
                name, equals, value = part.strip().partition("=")
                if equals:
                    fields.setdefault(name, value)
            self._sig = fields
        return self._sig

    def setting(self, key: str) -> str | None:
        """A configuration value, or the default of its entry; an empty one counts as none."""
        return self.config.get(key) or self.defaults.get(key) or None

    def exact(self) -> "Sources":
        """The same material with the numbers of body and record as they were written."""
        twin = Sources(
            config=self.config,
            defaults=self.defaults,
            method=self.method,
            url=self.url,
            query_text=self.query_text,
            headers=self.headers,
            raw=self.raw,
            document=self.document.exact() if self.document else None,
            item=self.item.exact() if self.item else None,
            words=self.words,
        )
        twin.last, twin.token, twin.structured = self.last, self.token, self.structured
        twin.sig_text, twin.sig_separator, twin._sig = self.sig_text, self.sig_separator, self._sig
        return twin


def _body(sources: Sources) -> object:
    if sources.document is None:
        found = read(sources.raw)
        sources.document = found if isinstance(found, Document) else _NO_DOCUMENT
    return sources.document.value


def _query(sources: Sources) -> Mapping[str, str]:
    return first_values(sources.query_text)


def _form(sources: Sources) -> Mapping[str, str]:
    return first_values(sources.raw.decode("utf-8", "surrogateescape"))


_READ_LATE = {"body": _body, "query": _query, "form": _form}


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
