"""What every act needs: the configuration, the database, the way out, the catalogue, the seal."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.catalogue.catalogue import Catalogue
from gateway.config import Config
from gateway.egress.guard import Guard
from gateway.egress.model import Client, StreamingClient
from gateway.metrics import Metrics
from gateway.seal import Seal
from gateway.storage.database import Database
from gateway.traffic.count import Traffic


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """Opened by `app`, passed to whoever acts."""

    config: Config
    database: Database
    guard: Guard
    client: Client
    #: The way out for calls to vendors, whose answers may be of any size.
    vendors: StreamingClient
    catalogue: Catalogue
    seal: Seal
    metrics: Metrics
    traffic: Traffic = field(default_factory=Traffic)

    @property
    def connector_ids(self) -> Mapping[str, int]:
        """The stable number of each connector, by key; `elementId` on the Open Connectors wire."""
        return self.catalogue.ids
