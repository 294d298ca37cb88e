"""Every failure that crosses a room's door, one root; the docstring is the message where none is given."""

from dataclasses import dataclass


class GatewayError(Exception):
    """Something went wrong in the gateway."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip())


class NotFound(GatewayError):
    """There is no such thing, or it belongs to somebody else."""


class Conflict(GatewayError):
    """The change contradicts what is stored."""


class Unauthorized(GatewayError):
    """The credentials are missing or wrong."""


class Forbidden(GatewayError):
    """The caller is known, but may not do this."""


class StorageDown(GatewayError):
    """The store cannot commit now; try again later."""


class Busy(GatewayError):
    """So many are served already; come again later."""


class StartRefused(GatewayError):
    """The gateway cannot start like this."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with an input: where it stands, and what was expected there."""

    field: str
    message: str


class Invalid(GatewayError):
    """The input is not acceptable."""

    def __init__(self, message: str, problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems


class VendorRefused(GatewayError):
    """The vendor says no; `provider` are its own words."""

    def __init__(self, message: str, provider: str | None = None) -> None:
        super().__init__(message)
        self.provider = provider


class VendorDown(GatewayError):
    """The vendor cannot be reached, or does not answer in time; `provider` says how."""

    def __init__(self, message: str, provider: str | None = None) -> None:
        super().__init__(message)
        self.provider = provider


class CatalogueError(GatewayError):
    """A connector file cannot be used."""
