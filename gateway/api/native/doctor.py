"""Whether all is well, for administrators."""

from aiohttp import web

from gateway.api import read
from gateway.api.native import shapes_doctor
from gateway.api.native.calls import PREFIX, answer, query, services
from gateway.api.native.ruling import of_the_gateway
from gateway.clock import now_ms
from gateway.doctor.examine import Patient, examine
from gateway.storage.open import sqlite_path


def routes() -> list[web.AbstractRouteDef]:
    """One examination."""
    return [web.get(PREFIX + "/doctor", examination)]


async def examination(request: web.Request) -> web.Response:
    """`GET /api/v1/doctor[?full=true]`: 200 whatever it finds; `verdict` is the worst."""
    await of_the_gateway(request)
    query(request, "full")
    runtime = services(request).runtime
    file = sqlite_path(runtime.config.storage_url)
    patient = Patient(
        database=runtime.database,
        seal=runtime.seal,
        folder=None if file is None else file.parent,
        least_free=runtime.config.storage.min_free.bytes,
    )
    full = read.flag(request, "full", default=False)
    return answer(shapes_doctor.examination(await examine(patient, full=full), now_ms(), full=full))
