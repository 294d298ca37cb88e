"""The receivers of docs/receivers: each is run for real, wherever its toolchain stands."""

import base64
import hashlib
import hmac
import os
import subprocess
import time
import warnings
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.docs.receivers import LANGUAGES, Language, Receiver, installed, receiving
from tests.kit import signed
from tests.kit.gateway import Gateway

# The Go receiver is compiled first, and its standard library with it.
pytestmark = pytest.mark.timeout(300)

OLD, NEW = ("whsec_" + base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2))
OTHER = "whsec_" + base64.b64encode(bytes(32)).decode()
ELEMENTS_KEY = "the consumer's own key"
BODY = b'{"message":{"instance_id":1,"eventId":"e1","elementKey":"github","events":[{}],"raw":{"n":1.10}}}'
VENDORS = b'{"action":"opened","issue":{"id":7,"title":"Bug","body":null}}'


@pytest.fixture(scope="module", params=installed(), ids=lambda language: language.name)
def command(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    language: Language = request.param
    return language.command(tmp_path_factory.mktemp(language.name))


@pytest.fixture
async def receiver(command: list[str]) -> AsyncIterator[Receiver]:
    async with receiving(command, OLD, ELEMENTS_KEY) as found:
        yield found


def notification(
    body: bytes = BODY, secret: str = OLD, *, message_id: str | None = None, at: int | None = None
) -> dict[str, str]:
    """The headers of a notification as the gateway sends it."""
    headers = signed.standard(secret, body, message_id=message_id, at=at)
    digest = hmac.new(ELEMENTS_KEY.encode(), body, hashlib.sha256).digest()
    return headers | {"Elements-Webhook-Signature": "sha256=" + base64.b64encode(digest).decode()}


async def post(receiver: Receiver, headers: dict[str, str], body: bytes = BODY) -> int:
    async with aiohttp.ClientSession() as session, session.post(receiver.url, data=body, headers=headers) as response:
        return response.status


async def test_what_the_gateway_sends_is_taken(command: list[str], sqlite_gateway: Gateway) -> None:
    key = {"event.notification.signature.key": ELEMENTS_KEY}
    made = await sqlite_gateway.create("github", "http://127.0.0.1:1/not-yet", **key)
    async with receiving(command, made["signingSecret"], ELEMENTS_KEY) as receiver:
        change = {"configuration": {"event.notification.callback.url": receiver.url}}
        assert (await sqlite_gateway.call("PATCH", f"/instances/{made['id']}", json=change)).status == 200
        headers = signed.github(made["webhookSecret"], VENDORS)
        assert (await sqlite_gateway.send(made["webhookUrl"], VENDORS, headers)).status == 200
        [line] = await receiver.wait(1)
        assert line.startswith("verified: ")
        assert '"title":"Bug"' in line.replace(" ", "")
        assert "null" not in line


async def test_a_rotation_with_overlap_suits_receivers_with_either_secret(
    command: list[str], sqlite_gateway: Gateway
) -> None:
    key = {"event.notification.signature.key": ELEMENTS_KEY}
    made = await sqlite_gateway.create("github", "http://127.0.0.1:1/not-yet", **key)
    rotated = await sqlite_gateway.call("POST", f"/api/v1/instances/{made['id']}/rotate/signing-secret")
    for secret in (made["signingSecret"], rotated.json["signingSecret"]):
        async with receiving(command, secret, ELEMENTS_KEY) as receiver:
            change = {"configuration": {"event.notification.callback.url": receiver.url}}
            await sqlite_gateway.call("PATCH", f"/instances/{made['id']}", json=change)
            await sqlite_gateway.send(made["webhookUrl"], VENDORS, signed.github(made["webhookSecret"], VENDORS))
            assert len(await receiver.wait(1)) == 1


async def test_a_good_notification_is_204(receiver: Receiver) -> None:
    assert await post(receiver, notification()) == 204


async def test_the_same_webhook_id_is_worked_on_once(receiver: Receiver) -> None:
    for _ in range(3):
        assert await post(receiver, notification(message_id="e1")) == 204
    assert await post(receiver, notification(message_id="e2")) == 204
    assert len(await receiver.wait(2)) == 2


async def test_a_changed_body_is_401(receiver: Receiver) -> None:
    assert await post(receiver, notification(), BODY.replace(b"1.10", b"1.1")) == 401


@pytest.mark.parametrize(
    "header", ["webhook-id", "webhook-timestamp", "webhook-signature", "Elements-Webhook-Signature"]
)
async def test_a_header_that_is_missing_or_changed_is_401(receiver: Receiver, header: str) -> None:
    headers = notification()
    assert await post(receiver, {name: value for name, value in headers.items() if name != header}) == 401
    other = "E" if headers[header][-2] == "A" else "A"
    for changed in ("", "1", "-1", "1e9", "9" * 40, "v1,", "sha256=", headers[header][:-2] + other + "="):
        assert await post(receiver, headers | {header: changed}) == 401


@pytest.mark.parametrize("apart", [-301, 301, -(10**9)])
async def test_a_time_more_than_five_minutes_away_is_401(receiver: Receiver, apart: int) -> None:
    assert await post(receiver, notification(at=int(time.time()) + apart)) == 401


@pytest.mark.parametrize("apart", [-290, 290])
async def test_a_time_within_five_minutes_is_taken(receiver: Receiver, apart: int) -> None:
    assert await post(receiver, notification(at=int(time.time()) + apart)) == 204


async def test_another_secret_is_401(receiver: Receiver) -> None:
    assert await post(receiver, notification(secret=OTHER)) == 401


async def test_one_good_signature_among_several_is_enough(receiver: Receiver) -> None:
    good, bad = (notification(secret=secret, message_id="e1") for secret in (OLD, OTHER))
    entries = ["v1a,b3RoZXI=", bad["webhook-signature"], good["webhook-signature"], "v2"]
    assert await post(receiver, good | {"webhook-signature": " ".join(entries)}) == 204


async def test_a_receiver_may_know_the_old_and_the_new_secret(command: list[str]) -> None:
    async with receiving(command, f"{NEW} {OLD}", ELEMENTS_KEY) as receiver:
        for secret in (OLD, NEW):
            assert await post(receiver, notification(secret=secret)) == 204
        assert await post(receiver, notification(secret=OTHER)) == 401


async def test_without_an_elements_key_the_standard_signature_decides(command: list[str]) -> None:
    async with receiving(command, OLD, "") as receiver:
        assert await post(receiver, signed.standard(OLD, BODY)) == 204
        assert await post(receiver, signed.standard(OTHER, BODY)) == 401


@pytest.mark.parametrize("body", [b"no JSON", b"[]", b"1", b'{"other":1}', b""])
async def test_genuine_bytes_that_are_no_notification_are_400(receiver: Receiver, body: bytes) -> None:
    assert await post(receiver, notification(body), body) == 400


def test_a_receiver_without_a_secret_does_not_start(command: list[str]) -> None:
    ended = subprocess.run(command, env={**os.environ, "SIGNING_SECRETS": "whsec_"}, capture_output=True, timeout=20)
    assert ended.returncode != 0
    assert b"SIGNING_SECRETS" in ended.stderr


@pytest.mark.filterwarnings("always")
def test_the_python_receiver_runs_everywhere_and_what_does_not_run_is_told() -> None:
    here = [language.name for language in installed()]
    assert "python" in here
    lacking = [language.name for language in LANGUAGES if language.name not in here]
    if lacking:
        # Workers of a parallel run pass warnings on, and nothing else that they say.
        warnings.warn(f"docs/receivers: not run, there is no toolchain: {', '.join(lacking)}", stacklevel=1)
