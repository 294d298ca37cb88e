"""A simulated vendor on a real socket: a small Close, an OAuth 2 authorization server, and bad manners on demand.

async with vendor() as there:
    there.url                                # http://127.0.0.1:…; Close is below /api/v1
    there.close.add("lead", name="Acme")     # rows of the simulated Close
    there.next(too_many(retry_after("2")))   # the next request is answered like this
    there.always(html(), on="/api/v1/me/")   # and these until `there.behave()`
    there.requests[-1].headers["Authorization"]
"""

from tests.vendors.arrived import Arrived
from tests.vendors.closeio import API_KEY, Close
from tests.vendors.oauth import CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, Authorization
from tests.vendors.simulator import Vendor, vendor

__all__ = [
    "API_KEY",
    "CLIENT_ID",
    "CLIENT_SECRET",
    "REDIRECT_URI",
    "Arrived",
    "Authorization",
    "Close",
    "Vendor",
    "vendor",
]
