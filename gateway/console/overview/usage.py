"""What an account has used in its billing period, beside what its price plan holds."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.accounts.metering import periods, store
from gateway.accounts.metering.model import Used
from gateway.accounts.metering.periods import Period
from gateway.accounts.model import Account
from gateway.config import PricePlan
from gateway.runtime import Runtime

KINDS = ("tasks", "events", "calls", "polls", "flows")
#: From here on a meter shows that it will soon be full.
HIGH = 0.8


@dataclass(frozen=True, slots=True)
class Gauge:
    """One thing that is counted; a limit of 0 is none."""

    kind: str
    used: int
    limit: int

    @property
    def high(self) -> int:
        """From where on somebody should look."""
        return int(self.limit * HIGH)

    @property
    def over(self) -> bool:
        """Whether more was used than the plan holds."""
        return 0 < self.limit < self.used


@dataclass(frozen=True, slots=True)
class Usage:
    """A period, its plan (None: there are no plans) and what was used."""

    period: Period
    plan: PricePlan | None
    gauges: tuple[Gauge, ...]

    @property
    def tasks(self) -> Gauge:
        """Everything that is charged."""
        return self.gauges[0]


async def used_by(runtime: Runtime, account: Account, now: int) -> Usage:
    """What an account has used so far."""
    period = periods.current(periods.of_account(account, now))
    used = await store.used(runtime.database, account.id, period.start, period.end)
    return usage(period, plan_of(account, runtime.config.price_plans), used)


def plan_of(account: Account, plans: Sequence[PricePlan]) -> PricePlan | None:
    """The plan of an account: the first there is where nobody gave it one, none where it is not there any more."""
    if account.price_plan is None:
        return plans[0] if plans else None
    return next((plan for plan in plans if plan.id == account.price_plan), None)


def usage(period: Period, plan: PricePlan | None, used: Used) -> Usage:
    """What was used, each beside its limit."""
    limits = {kind: 0 if plan is None else getattr(plan, kind) for kind in KINDS}
    return Usage(period, plan, tuple(Gauge(kind, getattr(used, kind), limits[kind]) for kind in KINDS))
