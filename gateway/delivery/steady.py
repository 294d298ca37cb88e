"""A clock that only goes forward: what is due is not put off when somebody sets the system's clock back."""

import time

from gateway.clock import now_ms


class Steady:
    """Epoch milliseconds that follow the system's clock ahead, and go on at the same pace where it falls back.

    Due times are written and asked for by this clock. Leases are not: other nodes read them by theirs.
    """

    def __init__(self) -> None:
        self._offset = now_ms() - _monotonic_ms()

    def now(self) -> int:
        """The time now, never before a time that was told earlier."""
        passed = _monotonic_ms()
        self._offset = max(self._offset, now_ms() - passed)
        return self._offset + passed


def _monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000
