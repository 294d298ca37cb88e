"""Where is it? Whatever name somebody has, the answer says what became of it, and what to do."""

import asyncio
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.console.where.asking import hashes, is_name, questions
from gateway.history.fates.model import Question
from gateway.ids import body_hash
from tests.console.parts import send
from tests.console.person import signed_in
from tests.console.test_events_list import ids
from tests.delivery.road import until
from tests.kit import signed
from tests.kit.consumer import Consumer
from tests.kit.gateway import Gateway

BODY = b'{\n  "action": "opened",\n  "issue": {"id": "obj-9"}\n}\n'


@given(st.text(max_size=1200))
def test_any_text_is_some_questions_or_none(text: str) -> None:
    assert {one.by for one in questions(text)} <= {"vendor_event_id", "object_id", "event_id", "body_hash"}
    assert len(hashes(text)) <= 5
    assert isinstance(is_name(text), bool)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("abc", {"vendor_event_id", "object_id"}),
        ("0" * 32, {"vendor_event_id", "object_id", "event_id", "body_hash"}),
        ("F" * 64, {"vendor_event_id", "object_id", "body_hash"}),
        ("01a201fa-023f-7406-bd96-134cd5c6d511", {"vendor_event_id", "object_id", "event_id"}),
        ("x" * 1001, set()),
        ("a\x00b", set()),
    ],
)
def test_a_text_is_asked_for_by_all_that_it_may_be(text: str, names: set[str]) -> None:
    assert {one.by for one in questions(text)} == names


def test_a_whole_hash_is_asked_for_by_the_half_that_is_kept() -> None:
    digest = hashlib.sha256(b"x").hexdigest().upper()
    assert Question("body_hash", body_hash(b"x")) in questions(digest)


def test_a_pasted_body_is_found_however_the_browser_ended_its_lines() -> None:
    for pasted in (BODY.decode(), BODY.decode().replace("\n", "\r\n"), BODY.decode().rstrip()):
        assert body_hash(BODY) in hashes(pasted)


async def test_an_event_is_found_by_each_of_its_names(gateway: Gateway, receiver: Consumer) -> None:
    made = await gateway.create("github", receiver.url())
    await send(gateway, made, BODY, delivery="vendor-7")
    await until(gateway, delivered=1)
    async with signed_in(gateway, "end_user") as person:
        [event_id] = ids(await person.get("/console/events"))
        names = ["vendor-7", "obj-9", event_id, hashlib.sha256(BODY).hexdigest(), body_hash(BODY)]
        for name in names:
            page = await person.get("/console/where", params={"q": f" {name} "})
            assert page.status == 200
            assert "It arrived once" in page.shown, name
            assert "Stored, and delivered" in page.shown
            assert f'href="/console/events/{event_id}"' in page.text


async def test_a_refused_delivery_says_why_and_what_to_do(sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("github")
    headers = signed.github("another secret", BODY, delivery="wrong-1")
    assert (await sqlite_gateway.send(made["webhookUrl"], BODY, headers)).status == 401
    async with signed_in(sqlite_gateway) as person, asyncio.timeout(10):
        # What it was refused for is looked into, and kept, after the answer.
        while "Refused: it is not stored" not in (page := await person.get("/console/where?q=wrong-1")).shown:
            assert page.status == 200
    assert "The signature does not match the body." in page.shown
    assert "Compare the signing secret" in page.shown


async def test_a_duplicate_leads_to_the_event_that_it_is_one_of(sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("github")
    for _ in range(2):
        await send(sqlite_gateway, made, BODY, delivery="twice")
    await until(sqlite_gateway, duplicate=1)
    async with signed_in(sqlite_gateway) as person:
        [event_id] = ids(await person.get("/console/events"))
        page = await person.get("/console/where?q=twice")
    assert "It arrived 2 times" in page.shown
    assert "Duplicate: it had arrived before" in page.shown
    assert page.text.count(f'href="/console/events/{event_id}"') == 2


async def test_what_never_arrived_is_told_with_what_that_may_mean(sqlite_gateway: Gateway) -> None:
    async with signed_in(sqlite_gateway) as person:
        page = await person.get("/console/where?q=nowhere")
        assert "Nothing was found under this name" in page.shown
        assert "Events are kept for 30 d, records of what was not stored for 7 d" in page.shown
        assert "Nothing was found" not in (await person.get("/console/where")).shown


async def test_a_pasted_body_leads_to_its_answer(sqlite_gateway: Gateway) -> None:
    made = await sqlite_gateway.create("github")
    await send(sqlite_gateway, made, BODY)
    async with signed_in(sqlite_gateway, "end_user") as person:
        page = await person.post("/console/where", {"body": BODY.decode().replace("\n", "\r\n")})
        assert page.path == f"/console/where?q={body_hash(BODY)}"
        assert "It arrived once" in page.shown
        assert (await person.post("/console/where", {"body": " vendor-1 "})).path == "/console/where?q=vendor-1"
        empty = await person.post("/console/where", {"body": " "})
        assert (empty.status, "Paste the body" in empty.shown) == (400, True)


@pytest.mark.parametrize("text", ["x" * 1001, "a\x00b", "\ud800"])
async def test_a_text_that_can_be_no_name_is_told_at_the_field(sqlite_gateway: Gateway, text: str) -> None:
    async with signed_in(sqlite_gateway) as person:
        quoted = text.encode("utf-8", "surrogatepass").hex("%", 1)
        page = await person.session.get(f"{sqlite_gateway.url}/console/where?q=%{quoted}")
        shown = await page.text()
    if text == "\ud800":  # replaced by what reads the address
        assert page.status in (200, 400)
    else:
        assert page.status == 400
        assert 'id="q-problem"' in shown
