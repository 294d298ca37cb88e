"""Where a delivery goes, and how: to an instance's callback, or to a 3rd-party connector."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.delivery.attempt import Sending, ToCallback
from gateway.delivery.model import Job
from gateway.delivery.to_third_party import ToThirdParty
from gateway.events.model import Event
from gateway.instances.index import InstanceIndex
from gateway.instances.view import Callback, InstanceView
from gateway.runtime import Runtime
from gateway.thirdparty.index import ThirdParties
from gateway.thirdparty.model import ThirdParty


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A destination that takes deliveries now."""

    url: str
    account_id: str
    sending: Callable[[Event], Sending]


class Ways:
    """Finds the way of each delivery, from memory where it can."""

    def __init__(self, runtime: Runtime, index: InstanceIndex, third_parties: ThirdParties) -> None:
        self._runtime = runtime
        self._index = index
        self._third_parties = third_parties
        self._timeout_s = runtime.config.delivery.timeout.seconds
        self._keeps_answers = runtime.config.retention.answers

    async def of(self, job: Job) -> Way | None:
        """The way of a delivery; None where its destination is off or gone."""
        view = await self._index.by_id(job.instance_id)
        callback = None if view is None else view.callback
        if view is not None and callback is not None and callback.destination.id == job.destination_id:
            return self._to_callback(job, view, callback) if callback.destination.state == "active" else None
        found = await self._third_parties.by_id(job.destination_id)
        return self._to_third_party(job, view, found) if found is not None and found.enabled else None

    def forget(self, job: Job) -> None:
        """What memory says of the destination is not true any more."""
        self._index.forget(job.instance_id)
        self._third_parties.forget_one(job.destination_id)

    def _to_callback(self, job: Job, view: InstanceView, callback: Callback) -> Way:
        def sending(event: Event) -> Sending:
            own = view.connector if event.connector == view.connector.key else None
            return ToCallback(
                event=event,
                hub=own.hub if own is not None else self._hub(event),
                callback=callback,
                replay_id=job.replay_id,
                timeout_s=self._timeout_s,
                keeps=self._keeps_answers,
                hidden=(*view.secrets, *callback.secrets),
            )

        return Way(url=callback.destination.url, account_id=view.instance.account_id, sending=sending)

    def _to_third_party(self, job: Job, view: InstanceView | None, found: ThirdParty) -> Way:
        def sending(event: Event) -> Sending:
            return ToThirdParty(
                event=event,
                hub=self._hub(event),
                instance_name="" if view is None else view.instance.name,
                connector=found,
                replay_id=job.replay_id,
                timeout_s=self._timeout_s,
                keeps=self._keeps_answers,
            )

        return Way(url=found.place, account_id=found.account_id, sending=sending)

    def _hub(self, event: Event) -> str:
        own = self._runtime.catalogue.get(event.connector)
        return own.hub if own is not None else ""
