"""Made-up requests, as the description allows them: none breaks the gateway, every answer is a described one."""

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import hypothesis
import requests
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok

from tests.api.openapi.scene import Scene, scene
from tests.api.openapi.test_answers import ENDLESS

#: For all operations together; those that are not reached have to wait for a machine that is less busy.
MOST_S = 20.0
EXAMPLES = 2
_CHECKS = ("status_code_conformance", "content_type_conformance", "response_schema_conformance")
#: It would ask a real vendor: the example names one.
_OUTSIDE = {"createInstance", "createInstanceOf", "partnerInstall", "cyclrInstall"}
_SETTINGS = hypothesis.settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[*HealthCheck],
)


class Fuzz:
    """What is asked, in a thread of its own, and what was found."""

    def __init__(self, there: Scene) -> None:
        load_all_checks()
        self._there = there
        self._session = requests.Session()
        self._checks = CHECKS.get_by_names(list(_CHECKS))
        self._ends = time.monotonic() + MOST_S
        self.asked: dict[str, int] = {}
        self.wrong: list[str] = []

    def run(self) -> None:
        """Ask every operation, each the same number of times, until the time is over."""
        described = schemathesis.openapi.from_dict(dict(self._there.document))
        for found in described.get_all_operations():
            assert isinstance(found, Ok), found
            operation = found.ok()
            name = operation.definition.raw["operationId"]
            if name != ENDLESS and time.monotonic() < self._ends:
                self._fuzz(name, operation)

    def _fuzz(self, name: str, operation: Any) -> None:
        raw = operation.definition.raw
        headers = self._there.headers(self._there.own, raw)

        @_SETTINGS
        @hypothesis.given(case=operation.as_strategy(path_parameters=self._places(operation.path)))
        def once(case: Any) -> None:
            if name in _OUTSIDE and "closeio" in str(case.body).lower() + str(case.path_parameters):
                return
            self.asked[name] = self.asked.get(name, 0) + 1
            case.headers = {key: value for key, value in case.headers.items() if key not in headers}
            self._one(case, headers)

        try:
            once()
        except (FailureGroup, AssertionError) as problem:
            self.wrong.append(f"{name}: {problem!r}\n{_told(problem)}")

    def _one(self, case: Any, headers: Mapping[str, str]) -> None:
        response = case.call(
            base_url=self._there.gateway.url,
            session=self._session,
            headers=dict(headers),
            timeout=10,
            allow_redirects=False,
        )
        assert response.status_code not in (500, 503), response.text
        case.validate_response(response, checks=self._checks, headers=dict(headers))

    def _places(self, path: str) -> dict[str, Any]:
        """Instances that there are, so that more is met than that there are none."""
        bare = path.removeprefix("/elements/api-v2")
        if bare.startswith(("/instances/{id}/events", "/instances/{id}/conf", "/v1.0/account/connectors/{id}/")):
            start = "/instances" if bare.startswith("/instances") else "/v1.0/account/connectors"
            return {"id": self._there.ids[start, "id"]}
        return {}


def _told(problem: BaseException) -> str:
    parts = getattr(problem, "exceptions", (problem,))
    return "\n".join(f"  {one}" for one in parts)[:2_000]


async def test_nothing_that_the_description_allows_breaks_the_gateway_or_surprises_its_reader(tmp_path: Path) -> None:
    async with scene(tmp_path) as there:
        fuzz = Fuzz(there)
        await asyncio.to_thread(fuzz.run)
    assert fuzz.wrong == [], "\n".join(fuzz.wrong)
    # On a machine that is busy the time is over before all have had their turn.
    assert len(fuzz.asked) > 30
