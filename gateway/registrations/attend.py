"""What a registration needs now: to be made, renewed, verified, removed, or nothing."""

from dataclasses import replace

from gateway.access.act import Vendors
from gateway.calls.grants import kept
from gateway.clock import now_ms
from gateway.errors import Invalid
from gateway.instances.index import InstanceIndex
from gateway.instances.view import InstanceView
from gateway.registrations import requests, store, times
from gateway.registrations.desk import Case, Desk
from gateway.registrations.leaving import Leaving
from gateway.registrations.making import Making
from gateway.registrations.model import Registration, State
from gateway.registrations.vendor import Answer
from gateway.registrations.wanted import by_hand, wants
from gateway.runtime import Runtime

_GONE = "it was gone at the vendor"
_ELSEWHERE = "it pointed to another address"


class Attendant:
    """Looks after one claimed registration at a time; many of these calls may run at once."""

    def __init__(self, runtime: Runtime, index: InstanceIndex, vendors: Vendors) -> None:
        self._runtime = runtime
        self._desk = Desk(runtime, index, vendors)
        self._making = Making(self._desk)
        self._leaving = Leaving(self._desk)

    async def attend(self, row: Registration) -> None:
        """Do what has to be done, and write down what came of it."""
        view = await self._desk.view(row.instance_id)
        if view is None:
            await self._leaving.deleted(row)
        elif not wants(view.connector, view.config.values, enabled=view.instance.enabled):
            await self._leaving.switched_off(row, view)
        else:
            await self._wanted(row, view)

    async def broken(self, row: Registration, reason: str) -> None:
        """Something went wrong on our side of it."""
        kind: State = "removing" if row.state == "removing" else "failing"
        attempts = row.attempts + 1
        after = store.moved(row, kind, reason, now_ms() + times.wait_ms(attempts, row.instance_id))
        await self._desk.settle(row, replace(after, attempts=attempts))

    async def _wanted(self, row: Registration, view: InstanceView) -> None:
        hurdle = self._unreachable()
        if hurdle is not None:
            here = replace(row, public_url=self._runtime.config.public_url)
            await self._desk.settle(row, store.moved(here, "refused", hurdle, None), view=view)
            return
        case = await self._desk.case(row, view)
        if case is None:
            await self._desk.settle(row, store.moved(row, "refused", "the instance has no URL", None), view=view)
            return
        given = by_hand(view.connector, case.subscribe, row, view.config)
        if given is not None:
            reason = f"{given} was given, so the registration is kept by hand; clear it to have the gateway make one"
            await self._desk.settle(row, store.moved(row, "unsupported", reason, None), view=view)
            return
        try:
            await self._looked_after(await self._leaving.former(case))
        except Invalid as problem:
            # Something is missing in the configuration, or leads away from the connector's hosts.
            await self._desk.settle(row, store.moved(row, "refused", str(problem), None), view=view)

    def _unreachable(self) -> str | None:
        url = self._runtime.config.public_url
        refusal = self._runtime.guard.refuses_url(url)
        if refusal is None:
            return None
        return f"no vendor reaches {url}; set server.public_url to its https address as the world knows it"

    async def _looked_after(self, case: Case) -> None:
        row, subscribe, now = case.row, case.subscribe, now_ms()
        check_at = times.verification(subscribe, row)
        if not row.stands or row.callback_hash != case.callback_hash or row.kept.request != case.request():
            await self._making.make(case)
        elif row.renew_at is not None and row.renew_at <= now:
            await self._renew(case)
        elif check_at is not None and check_at <= now:
            await self._verify(case)
        else:
            await self._desk.active(case, row, replace(row, public_url=self._runtime.config.public_url))

    async def _renew(self, case: Case) -> None:
        row, subscribe, now = case.row, case.subscribe, now_ms()
        if subscribe.renew is None:
            await self._making.make(case)
            return
        wanted = requests.Wanted(case.callback, row.asked_id or "", now)
        answer = await case.vendor.ask(requests.renewing(case.vendor.access, subscribe, subscribe.renew, wanted))
        if answer.kind == "gone":
            await self._making.make(case, lost=_GONE)
        elif answer.kind != "ok":
            await self._desk.failed(row, row, _cannot("be renewed", answer))
        else:
            expires_at = times.expiry(subscribe, answer.sources, now)
            renew_at = times.renewal(subscribe, expires_at, now)
            after = replace(row, expires_at=expires_at, renew_at=renew_at, checked_at=now, attempts=0, reason=None)
            values = kept(subscribe.save, answer.sources)
            if values:
                await self._desk.settle(row, replace(after, state="active", next_at=now), values, view=case.view)
            else:
                await self._desk.active(case, row, after)

    async def _verify(self, case: Case) -> None:
        row, subscribe = case.row, case.subscribe
        assert subscribe.check is not None
        answer = await case.vendor.ask(requests.asking(case.vendor.access, subscribe.check, case.callback))
        url = subscribe.check_url.text(answer.sources) if subscribe.check_url else case.callback
        if answer.kind == "gone":
            await self._making.make(case, lost=_GONE)
        elif answer.kind == "ok" and url and url != case.callback:
            await self._making.make(case, lost=_ELSEWHERE)
        elif answer.kind != "ok" or not url:
            reason = answer.reason if answer.kind != "ok" else "the answer does not say where it points"
            kind = "failed" if answer.kind == "ok" else answer.kind
            await self._desk.failed(row, row, _cannot("be verified", replace(answer, kind=kind, reason=reason)))
        else:
            after = replace(row, checked_at=now_ms(), attempts=0, reason=None)
            await self._desk.active(case, row, after)


def _cannot(what: str, answer: Answer) -> Answer:
    return replace(answer, reason=f"it could not {what}: {answer.reason}")
