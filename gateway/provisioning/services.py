"""What the surfaces stand on: the runtime and the rooms that have a state of their own."""

from dataclasses import dataclass

from gateway.access.act import Vendors
from gateway.accounts.reception import Reception
from gateway.delivery.worker import Worker
from gateway.instances.index import InstanceIndex
from gateway.polling.dispatcher import Dispatcher
from gateway.polling.poll import Polling
from gateway.registrations.registrar import Registrations
from gateway.runtime import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Opened by `app`."""

    runtime: Runtime
    reception: Reception
    index: InstanceIndex
    worker: Worker
    vendors: Vendors
    registrations: Registrations
    polling: Polling
    pollers: Dispatcher
