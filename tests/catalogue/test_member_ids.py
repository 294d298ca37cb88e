"""The numbers of methods, inputs and entries: the same for everybody, for ever."""

import asyncio
from pathlib import Path

from gateway.catalogue.member_ids.members import MemberIds, Members
from gateway.storage.database import Database
from tests.catalogue.connector_file import connector_of

FILE = """
[methods.find]
request = "GET /things/{group}"
query = { tag = {} }
"""
MORE = FILE.replace("{ tag = {} }", "{ tag = {}, since = {} }") + '[methods.another]\nrequest = "GET /another"\n'


def numbers(members: Members) -> dict[str, int]:
    return {one.name: number for number, one in members.inputs["find"].items()} | dict(members.methods)


async def test_two_nodes_that_ask_at_once_get_the_same_numbers(database: Database, tmp_path: Path) -> None:
    connector = connector_of(tmp_path, FILE)
    found = await asyncio.gather(*(MemberIds(database).of(connector) for _ in range(4)))
    assert {tuple(sorted(numbers(one).items())) for one in found} == {tuple(sorted(numbers(found[0]).items()))}
    every = [*numbers(found[0]).values(), *found[0].entries.values()]
    assert len(set(every)) == len(every)


async def test_a_newer_file_keeps_the_numbers_of_what_stays(database: Database, tmp_path: Path) -> None:
    ids = MemberIds(database)
    before = numbers(await ids.of(connector_of(tmp_path, FILE)))
    newer = await ids.of(connector_of(tmp_path, MORE))
    after = numbers(newer)
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {"since", "another"}
    assert await ids.method_of(after["another"]) == (newer.connector.key, "another")
    assert await ids.method_of(after["since"]) is None
    assert await ids.method_of(10**12) is None
