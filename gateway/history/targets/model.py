"""A destination under the name that people gave to what it belongs to."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from gateway.storage.database import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A callback, named after its instance, or a 3rd-party connector."""

    id: int
    kind: str
    instance_id: int
    name: str
    url: str
    state: str
    reason: str | None

    @classmethod
    def from_row(cls, row: Row) -> "Target":
        return cls(**{name: row[name] for name in cls.__dataclass_fields__})

    @property
    def place(self) -> str:
        """The URL without its query and without a password, either of which may open something."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rsplit('@', 1)[-1]}{parts.path}"
