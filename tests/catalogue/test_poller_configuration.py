"""What an instance says of its own polling: every way to say it, and everything that is wrong with it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalogue.document import Document, read
from gateway.catalogue.poller_configuration import Wanted, interval_ms, interval_problem, wanted
from gateway.catalogue.sources import Sources

CLOSE: dict[str, dict[str, Any]] = {
    "contacts": {
        "url": "/hubs/crm/contacts?where=date_updated>'${gmtDate:yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX}'",
        "idField": "id",
        "filterByUpdatedDate": True,
        "filterByCurrentDate": False,
        "datesConfiguration": {
            "updatedDateField": "date_updated",
            "updatedDateFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
            "updatedDateTimezone": "GMT",
            "createdDateField": "date_created",
            "createdDateFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
            "createdDateTimezone": "GMT",
        },
        "createdCheckTolerance": 10,
        "pageSize": 20,
        "pollDelay": 0,
    }
}
LEGACY = (
    "accounts|/hubs/crm/accounts?where=LastModifiedDate>=${date}||LastModifiedDate|yyyy-MM-dd'T'HH:mm:ssZ|"
    "|CreatedDate|yyyy-MM-dd'T'HH:mm:ssZ"
)

KEYS = ["url", "idField", "datesConfiguration", "pageSize", "pollDelay", "updatedDateField", "updatedDateFormat"]
ODD = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*KEYS, "polling", "eventTypes", "x"]), inner, max_size=4)
    ),
)


def configured(value: object) -> Wanted:
    return wanted({"event.poller.configuration": value if isinstance(value, str) else json.dumps(value)})


def problems(value: object) -> list[str]:
    found = configured(value)
    assert all(problem.field == "event.poller.configuration" for problem in found.problems)
    return [problem.message for problem in found.problems]


def changed(**values: Any) -> dict[str, Any]:
    return {"contacts": {**CLOSE["contacts"], **values}}


def record(value: object) -> Sources:
    document = read(json.dumps(value).encode())
    assert isinstance(document, Document)
    return Sources(item=document)


@pytest.mark.parametrize("text", [json.dumps(CLOSE), json.dumps(json.dumps(CLOSE))])
def test_the_vendors_own_default_is_read_as_object_and_as_text(text: str) -> None:
    found = configured(text)
    assert found.problems == ()
    [entry] = found.entries
    assert (entry.name, entry.object_type, entry.tolerance, entry.delay) == ("contacts", "contacts", 10_000, 0)
    one = record({"id": "cont_1", "date_updated": "2018-07-31T19:39:46.123456+00:00"})
    assert entry.id.text(one) == "cont_1"
    assert entry.updated is not None
    assert entry.updated.read is not None
    assert entry.updated.read(entry.updated.locator.text(one) or "") == 1_533_065_986_123


def test_paths_lead_into_a_record_whatever_its_names() -> None:
    [entry] = configured({"x": {"url": "/x", "idField": "user.@id"}}).entries
    assert entry.id.text(record({"user": {"@id": 7}})) == "7"


def test_the_keys_that_may_be_texts_and_stand_elsewhere_are_understood() -> None:
    value = changed(filterByUpdatedDate="true", pollDelay="30", pageSize="20")
    del value["contacts"]["createdCheckTolerance"]
    value["contacts"]["datesConfiguration"] = {**CLOSE["contacts"]["datesConfiguration"], "createdCheckTolerance": 60}
    [entry] = configured(value).entries
    assert (entry.delay, entry.tolerance) == (30_000, 60_000)


def test_where_only_creation_can_be_seen_polling_goes_on_by_its_date() -> None:
    for value in (
        {"updatedDateField": "", "createdDateField": "made"},
        {"updatedDateField": "changed", "createdDateField": "made"},
    ):
        [entry] = configured(changed(datesConfiguration=value, filterByUpdatedDate=False)).entries
        assert entry.updated is not None
        assert entry.updated.path == "made"


def test_the_date_of_change_counts_even_where_the_old_spelling_asks_for_it() -> None:
    value = changed(filterByUpdateDate=True)
    del value["contacts"]["filterByUpdatedDate"]
    [entry] = configured(value).entries
    assert entry.updated is not None
    assert entry.updated.path == "date_updated"


@pytest.mark.parametrize("word", ["milliseconds", "Milliseconds"])
def test_dates_may_be_milliseconds(word: str) -> None:
    dates = {"updatedDateField": "at", "updatedDateFormat": word}
    [entry] = configured(changed(datesConfiguration=dates)).entries
    assert entry.updated is not None
    assert entry.updated.read is not None
    assert entry.updated.read("1533065986123") == 1_533_065_986_123


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("[]", "expected a JSON object keyed by resource"),
        ('"text"', "expected a JSON object keyed by resource"),
        ({"contacts": "x"}, "contacts: expected an object with url and idField"),
        ({"contacts": {"idField": "id"}}, "contacts.url: is required"),
        (changed(url=7), "contacts.url: is required"),
        (changed(url="/x?" + "a" * 4_096), "contacts.url: is longer than 4096 characters"),
        (changed(url="/x?a=${date:foo}"), "'foo' is no date pattern"),
        (changed(idField=None), "contacts.idField: is required"),
        (changed(idField=""), "contacts.idField: is required"),
        (changed(idField="a..b"), "contacts.idField: 'a..b' is no path"),
        (changed(idField="id ?? config:token"), "contacts.idField"),
        (changed(datesConfiguration=[]), "contacts.datesConfiguration: expected an object"),
        (changed(datesConfiguration={"updatedDateField": 7}), "updatedDateField: expected a text"),
        (changed(datesConfiguration={"updatedDateField": "a", "updatedDateFormat": "bar"}), "'b' cannot be read"),
        (changed(datesConfiguration={"updatedDateField": "a", "updatedDateTimezone": "Moon"}), "is no time zone"),
        (changed(datesConfiguration={"updateDateField": "a"}), "did you mean updatedDateField?"),
        (changed(idfield="x"), "contacts.idfield: is not known; did you mean idField?"),
        (changed(filterByUpdatedDate="maybe"), "filterByUpdatedDate: expected true or false"),
        (changed(createdCheckTolerance=-1), "createdCheckTolerance: expected seconds"),
        (changed(pollDelay="soon"), "pollDelay: expected seconds"),
        (changed(pollDelay=1e300), "pollDelay: expected seconds"),
        (changed(pageSize=0), "pageSize: expected a whole number"),
        (changed(pageSize=True), "pageSize: expected a whole number"),
        (changed(parameters=[1]), "parameters: expected an object of texts"),
        (changed(objectName=3), "objectName: expected the name of an object"),
        (changed(postHooks=["return 1"]), "postHooks: scripts are not run here"),
        ({"": {}}, "is no name of a resource"),
        ({"@token": {"url": "/x", "idField": "id"}}, "is no name of a resource"),
        ({"a??b": {"url": "/x", "idField": "id"}}, "is no name of a resource"),
        ({f"r{n}": {} for n in range(101)}, "has 101 resources"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(value: object, said: str) -> None:
    assert any(said in message for message in problems(value)), problems(value)


def test_every_problem_is_named_at_once() -> None:
    assert len(problems({"a": {}, "b": {"url": "/x"}, "c": {"idField": "id"}})) == 4


@given(ODD)
def test_no_json_is_worse_than_refused(value: object) -> None:
    text = json.dumps(value)
    wanted({"event.poller.configuration": text, "event.metadata": text, "event.poller.urls": text})


def test_a_line_of_old_times_is_a_resource() -> None:
    found = wanted({"event.poller.urls": LEGACY + "\n\ncontacts|/hubs/crm/contacts"})
    assert found.problems == ()
    assert [entry.name for entry in found.entries] == ["accounts", "contacts"]
    assert found.names is None
    accounts = found.entries[0]
    assert accounts.id.text(record({"Id": "001"})) == "001"
    assert accounts.updated is not None
    assert accounts.updated.read is not None
    assert accounts.updated.read("2018-07-31T21:39:46+0200") == 1_533_065_986_000


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("|/hubs/crm/x", "line 1: begins with no name"),
        ("a|/x?d=${nope}", "line 1.url: ${nope} is no date template"),
        ("a|/x|//contact[1]", "line 1.filter: filter expressions are not evaluated here"),
        ("a|/x||f|foo", "line 1.datesConfiguration.updatedDateFormat"),
        ("a|/x||||||||extra", "line 1: has 10 fields"),
        ("a|/x\na|/y", "line 2: a is there already"),
    ],
)
def test_a_line_that_cannot_be_read_says_why(line: str, said: str) -> None:
    found = wanted({"event.poller.urls": line})
    assert any(said in problem.message for problem in found.problems), found.problems
    assert {problem.field for problem in found.problems} == {"event.poller.urls"}


@pytest.mark.parametrize("text", ["Accounts|contacts", "accounts\ncontacts", " accounts |\n contacts "])
def test_lines_without_a_url_choose_among_the_resources(text: str) -> None:
    found = wanted({"event.poller.urls": text})
    assert (found.entries, found.names) == ((), frozenset({"accounts", "contacts"}))


def test_the_configuration_wins_over_the_older_ways() -> None:
    found = wanted({"event.poller.configuration": json.dumps(CLOSE), "event.poller.urls": LEGACY})
    assert [entry.name for entry in found.entries] == ["contacts"]


def test_objects_and_metadata_say_which_changes_are_wanted() -> None:
    found = wanted({"event.objects": "Contact, Account"}).selection
    assert [found.takes(name, "UPDATED") for name in ("contact", "Account", "lead", None)] == [True, True, False, True]
    metadata = {"polling": {"file": {"eventTypes": ["created", "deleted"]}, "folder": {}}, "webhook": {"file": {}}}
    found = wanted({"event.metadata": json.dumps(metadata)}).selection
    assert [found.takes("file", action) for action in ("CREATED", "UPDATED", "DELETED")] == [True, False, True]
    assert (found.takes("folder", "UPDATED"), found.takes("task", "UPDATED")) == (True, False)


def test_metadata_may_describe_what_is_polled() -> None:
    found = wanted({"event.metadata": json.dumps({"polling": CLOSE})})
    assert ([entry.name for entry in found.entries], found.problems) == (["contacts"], ())


@pytest.mark.parametrize("types", ["created", ["exploded"], [7]])
def test_a_kind_of_change_that_nobody_knows_is_refused(types: object) -> None:
    [problem] = wanted({"event.metadata": json.dumps({"polling": {"file": {"eventTypes": types}}})}).problems
    assert "polling.file.eventTypes: expected a list of created, updated, deleted" in problem.message


def interval(minutes: str) -> tuple[int | None, bool]:
    return interval_ms({"event.poller.refresh_interval": minutes}, 15)


def test_the_interval_is_minutes_and_a_huge_one_means_on_demand() -> None:
    assert interval("1") == (60_000, True)
    assert interval("1.5") == (90_000, True)
    assert interval("999999999") == (None, True)
    assert interval("1000000000.0") == (None, True)
    assert interval_ms({}, 15) == (15, False)


@pytest.mark.parametrize(
    ("minutes", "is_wrong"), [("0", True), ("-1", True), ("0.5", True), ("1", False), ("1e", False)]
)
def test_less_than_a_minute_is_refused(minutes: str, is_wrong: bool) -> None:
    assert (interval_problem({"event.poller.refresh_interval": minutes}) is not None) is is_wrong
