"""What a node believes of callers for a moment, and what makes it ask again."""

from gateway.accounts.reception import MOST_BELIEVED, Reception
from gateway.storage.database import Database


async def test_what_was_found_is_believed_until_rights_change(database: Database) -> None:
    reception = Reception(database)
    reception.believe("key", "found")
    assert reception.recall("key", str) == "found"
    assert reception.recall("key", int) is None
    reception.forget()
    assert reception.recall("key", str) is None


async def test_an_answer_that_was_under_way_when_rights_changed_is_not_kept(database: Database) -> None:
    reception = Reception(database)
    before = reception.changes
    reception.forget()
    reception.believe("key", "found", since=before)
    assert reception.recall("key", str) is None
    reception.believe("key", "found", since=reception.changes)
    assert reception.recall("key", str) == "found"


async def test_callers_without_end_take_no_memory_without_end(database: Database) -> None:
    reception = Reception(database)
    for number in range(MOST_BELIEVED + 10):
        reception.believe(number, "found")
    assert reception.recall(0, str) is None
    assert reception.recall(MOST_BELIEVED + 9, str) == "found"
