"""Pollers that an instance configures itself: what each asks of its vendor, and how its records are read."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.calls.model import Access
from gateway.calls.polled import Polled, polled
from gateway.calls.polled_record import OVERLAP_MS, poll_of
from gateway.calls.render import whole_url
from gateway.catalogue.call_model import Poll
from gateway.catalogue.change import read_change
from gateway.catalogue.config_view import ConfigView
from gateway.catalogue.core import completed
from gateway.catalogue.document import Document, read
from gateway.catalogue.load import load_catalogue
from gateway.catalogue.model import Connector
from gateway.catalogue.offers import Offers
from gateway.catalogue.poller_entry import poller_entry
from gateway.catalogue.sources import Sources
from gateway.polling.configured import planned
from gateway.polling.model import Plan

CATALOGUE = load_catalogue([])
AT = 1_533_065_986_123
BASE = "https://api.close.com/api/v1"
MICROS = "${gmtDate:yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX}"


def connector(key: str) -> Connector:
    found = CATALOGUE.get(key)
    assert found is not None
    return found


def access(key: str, **values: str) -> Access:
    found = connector(key)
    return Access(connector=found, config=ConfigView(completed(found, values)))


def asked(url: str, key: str = "closeio", base: str | None = None, **more: Any) -> Polled | str:
    entry, wrong = poller_entry("things", {"url": url, "idField": "id", **more})
    assert entry is not None, wrong
    whose = access(key, **({"base.url": base} if base else {}))
    return polled(whose, Offers(whose.connector), entry)


def address(url: str, key: str = "closeio", base: str | None = None, **more: Any) -> str:
    found = asked(url, key, base, **more)
    assert isinstance(found, Polled), found
    call = found.asked.rendered(access(key, **({"base.url": base} if base else {})), AT)
    assert call.verb == "GET"
    return whole_url(call)


def refused(url: str, key: str = "closeio", **more: Any) -> str:
    found = asked(url, key, **more)
    assert isinstance(found, str)
    return found


def poll(url: str, key: str = "closeio", base: str | None = None, **more: Any) -> Poll:
    found = asked(url, key, base, **more)
    assert isinstance(found, Polled), found
    made = poll_of(connector(key), found)
    assert isinstance(made, Poll), made
    return made


def plans(values: Mapping[str, object] | None = None, key: str = "closeio") -> list[Plan]:
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in (values or {}).items()}
    return planned(connector(key), access(key, **texts).config, Offers(connector(key)))


@pytest.mark.parametrize("before", ["/hubs/crm", "/hubs/whatever", "/elements/api-v2/hubs/crm", "/elements/api-v2", ""])
def test_a_path_of_the_hub_is_the_call_that_the_hub_would_make(before: str) -> None:
    url = f"{before}/tasks?where=date_updated>='{MICROS}' and lead_id='lead_1'&_fields=id"
    assert address(url) == (
        f"{BASE}/task/?_type=lead&_fields=id&date_updated__gte=2018-07-31T19%3A39%3A46.123000Z&lead_id=lead_1"
    )


def test_a_vendors_own_path_and_address_are_taken_too() -> None:
    expected = f"{BASE}/lead/?query=x%20y"
    assert address("/lead/?query=x y") == expected
    assert address("/lead/?query=x%20y") == expected
    assert address(f"{BASE}/lead/?query=x+y") == expected


def test_what_is_asked_exclusively_is_asked_inclusively() -> None:
    assert "date_updated__gte=2018-07-31" in address("/tasks?where=date_updated>'${date:yyyy-MM-dd}'")


def test_a_plus_in_a_date_stays_a_plus() -> None:
    url = address("/tasks?where=date_updated>'${dateTimeZone:+2:00:yyyy-MM-dd'T'HH:mm:ssXXX}'")
    assert "2018-07-31T21%3A39%3A46%2B02%3A00" in url


def test_a_date_that_the_vendor_cannot_be_asked_for_is_compared_here() -> None:
    found = asked(f"/hubs/crm/contacts?where=date_updated>'{MICROS}' and lead_id='lead_1'")
    assert isinstance(found, Polled)
    assert (found.unasked, found.field) == (("date_updated",), "date_updated")
    assert whole_url(found.asked.rendered(access("closeio"), AT)) == f"{BASE}/contact/?lead_id=lead_1"


def test_salesforce_is_asked_since_a_date_in_its_own_language() -> None:
    base, since = "https://acme.my.salesforce.com/services/data/v62.0", "${gmtDate:yyyy-MM-dd'T'HH:mm:ss'Z'}"
    select = "SELECT FIELDS(STANDARD) FROM Account WHERE {} ORDER BY SystemModstamp"

    def soql(rest: str) -> str:
        found = urlsplit(address(f"/hubs/crm/accounts{rest}", "sfdc", base))
        return parse_qs(found.query)["q"][0]

    assert soql(f"?where=LastModifiedDate>'{since}' and Name LIKE 'A%25'") == select.format(
        "LastModifiedDate >= 2018-07-31T19:39:46Z AND Name LIKE 'A%'"
    )
    assert soql("") == select.format("Id != null")
    assert soql("?condition=Name = 'x'") == select.format("Name = 'x'")
    for wrong in ("Name='a'' OR Id != '''", "Name>'1 OR Id != null'", "Name='a\\'"):
        found = asked(f"/hubs/crm/accounts?where={wrong}", "sfdc", base)
        assert "holds characters that cannot be asked for" in str(found)
    twice = asked("/hubs/crm/accounts?where=Name='a'&condition=Id = null", "sfdc", base)
    assert "also given as a parameter" in str(twice)


def test_a_path_with_parameters_is_filled() -> None:
    url = "/hubs/crm/accounts/{lead}/notes"
    assert address(url, parameters={"lead": "a/b"}) == f"{BASE}/activity/note/?lead_id=a%2Fb"
    assert "{lead} has no value" in refused(url)


def test_the_page_size_is_left_to_the_gateway() -> None:
    assert address("/tasks?pageSize=5", pageSize=20) == f"{BASE}/task/?_type=lead"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://evil.example/api/v1/lead/", "https://evil.example/api/v1/lead/ leads away"),
        ("http://api.close.com/api/v1/lead/", "leads away"),
        ("https://api.close.com@evil.example/lead/", "leads away"),
        ("https://api.close.com.evil.example/lead/", "leads away"),
        ("//evil.example/lead/", "leads away"),
        ("https://api.close.com:8443/lead/", "leads away"),
        ("file:///etc/passwd", "leads away"),
        ("/hubs/crm/contact_list", "did you mean 'contacts'?"),
        ("/hubs/crm/../../instances", "is nothing that closeio offers"),
        ("/hubs/crm/accounts?colour=red", "colour: is no parameter of this method"),
        ("/hubs/crm/accounts?where=a='1' or b='2'", "OR is not supported"),
        ("/hubs/crm/contacts?where=name>'a'", "name > cannot be asked here"),
        ("/hubs/crm/accounts?page=2", "leave out page and nextPage"),
        ("/hubs/crm/accounts?nextPage=abc", "leave out page and nextPage"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_its_reason(url: str, said: str) -> None:
    assert said in refused(url)


def test_a_connector_of_any_path_needs_an_address_and_stays_at_it() -> None:
    assert "base.url" in refused("/v1/things", "generic")
    assert address("/hubs/general/v1/things?a=1", "generic", "https://x.example/api") == (
        "https://x.example/api/v1/things?a=1"
    )
    found = asked("https://y.example/things", "generic", "https://x.example")
    assert isinstance(found, str)
    assert "leads away" in found
    found = asked("/a/../../b", "generic", "https://x.example")
    assert isinstance(found, str)
    assert "is no id, but a step in a path" in found


def test_pages_that_an_answer_points_at_are_followed() -> None:
    assert poll("/things", "generic", "https://x.example").paginate == "link"
    assert poll("/tasks").paginate == "skip"


def test_polling_goes_on_by_the_field_that_is_named_or_compared() -> None:
    named = poll(
        f"/tasks?where=date_updated>'{MICROS}'",
        datesConfiguration={"updatedDateField": "meta.at", "updatedDateFormat": "milliseconds"},
    )
    compared = poll("/tasks?where=date_updated>'${dateTimeZone:EST:yyyy-MM-dd HH:mm}'")
    assert (named.updated and named.updated.source_text, named.read_updated("1533065986123")) == (
        "item:'meta'.'at'",
        AT,
    )
    assert (compared.updated and compared.updated.source_text) == "item:'date_updated'"
    assert compared.read_updated("2018-07-31 14:39") == 1_533_065_940_000


def test_where_nobody_says_what_the_date_is_of_that_is_asked() -> None:
    found = asked("/tasks?date_updated__gte=${date:yyyy-MM-dd}")
    assert isinstance(found, Polled)
    assert "updatedDateField is needed" in str(poll_of(connector("closeio"), found))


def test_a_url_without_any_date_is_compared_with_the_list_before() -> None:
    assert poll("/tasks").mode == "snapshot"
    assert poll("/tasks", datesConfiguration={"updatedDateField": "date_updated"}).mode == "since"


@pytest.mark.parametrize(
    ("template", "delay", "overlap"),
    [
        ("${date:yyyy-MM-dd'T'HH:mm:ss}", 0, OVERLAP_MS),
        ("${date:yyyy-MM-dd'T'HH:mm:ss}", 600, 600_000),
        ("${date:yyyy-MM-dd}", 600, 86_400_000),
        ("${dateTimeZone:Europe/Berlin:yyyy-MM-dd HH:mm}", 0, OVERLAP_MS + 3_600_000),
        ("${dateTimeZone:Europe/Berlin:yyyy-MM-dd HH:mmXXX}", 0, OVERLAP_MS),
    ],
)
def test_it_is_asked_as_far_back_as_dates_are_coarse_and_records_late(template: str, delay: int, overlap: int) -> None:
    assert poll(f"/tasks?where=date_updated>'{template}'", pollDelay=delay).overlap == overlap


def test_a_record_is_a_change_in_the_words_of_the_wire() -> None:
    found = poll(f"/tasks?where=date_updated>'{MICROS}'")
    document = read(b'{"id":"task_1","date_updated":"2018-07-31T19:39:46.123000+00:00"}')
    assert isinstance(document, Document)
    change = read_change(found.changes, Sources(item=document, words={"action": "updated"}), document.raw, True)
    assert (change.type, change.object_type, change.object_id) == ("things.updated", "things", "task_1")
    assert change.identity == "v:things:task_1:2018-07-31T19:39:46.123000+00:00"
    assert change.occurred_at == AT


def test_the_name_of_the_object_may_be_another_than_the_resources() -> None:
    found = poll("/tasks", objectName="Task{0}")
    document = read(b'{"id":1}')
    assert isinstance(document, Document)
    change = read_change(found.changes, Sources(item=document, words={"action": "created"}), document.raw, True)
    assert (change.object_type, change.type) == ("Task{0}", "Task{0}.created")


ENTRIES = {
    "contacts": {"url": f"/contacts?where=date_updated>'{MICROS}'", "idField": "id"},
    "accounts": {"url": f"/accounts?where=date_updated>'{MICROS}'", "idField": "id"},
}


def test_without_a_configuration_the_connectors_own_polls_are_made() -> None:
    [only] = plans()
    assert (only.name, only.ask, only.interval, only.fixed) == ("events", None, 60_000, False)


def test_each_resource_of_the_configuration_is_a_poller_of_its_own() -> None:
    found = plans({"event.poller.configuration": ENTRIES})
    assert [plan.name for plan in found] == ["contacts", "accounts"]
    assert all(plan.ask is not None and plan.poll.order == "any" for plan in found)


def test_where_everything_is_read_it_is_asked_more_seldom() -> None:
    found = plans({"event.poller.configuration": ENTRIES})
    assert [plan.interval for plan in found] == [900_000, 60_000]


def test_the_users_interval_is_kept_and_a_huge_one_is_none() -> None:
    set_ = plans({"event.poller.configuration": ENTRIES, "event.poller.refresh_interval": "5"})
    huge = plans({"event.poller.refresh_interval": "999999999"})
    assert {(plan.interval, plan.fixed) for plan in set_} == {(300_000, True)}
    assert [(plan.interval, plan.fixed) for plan in huge] == [(None, True)]


@pytest.mark.parametrize("key", ["event.objects", "event.poller.urls"])
@pytest.mark.parametrize("name", ["contacts", "Contact"])
def test_only_the_chosen_resources_are_polled(key: str, name: str) -> None:
    found = plans({"event.poller.configuration": ENTRIES, key: name})
    assert [plan.name for plan in found] == ["contacts"]
    assert found[0].selection.takes("contacts", "UPDATED")


@pytest.mark.parametrize("key", ["event.objects", "event.poller.urls"])
def test_of_a_log_of_all_objects_the_chosen_ones_are_wanted(key: str) -> None:
    [log] = plans({key: "accounts"})
    assert [log.selection.takes(name, "UPDATED") for name in ("lead", "contact", None)] == [True, False, True]


def test_a_log_that_is_chosen_itself_is_wanted_as_a_whole() -> None:
    [log] = plans({"event.poller.urls": "events"})
    assert log.selection.takes("task.completed", "CREATED")


def test_reconciling_speaks_the_webhooks_words_whatever_is_configured() -> None:
    config = access("closeio", **{"event.poller.configuration": json.dumps(ENTRIES)}).config
    found = planned(connector("closeio"), config, Offers(connector("closeio")), "reconcile")
    assert [(plan.name, plan.source) for plan in found] == [("events", "reconcile")]


def test_salesforce_polls_the_objects_that_are_named_as_its_clients_name_them() -> None:
    found = plans({"event.objects": "Contact,Account"}, "sfdc")
    assert {"accounts", "contacts"} <= {plan.name for plan in found}
    assert not {"leads", "opportunities"} & {plan.name for plan in found}
