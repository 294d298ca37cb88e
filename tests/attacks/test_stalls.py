"""What one sender or caller can do to everybody else: the event loop must not stand still for long."""

import asyncio
import gc
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.delivery.lanes import Lanes
from gateway.inbound import wire
from gateway.proofs import bodies
from gateway.provisioning.draft import plain
from tests.delivery.test_lanes import fill, healthy, start, start_waiting
from tests.kit.gateway import Gateway

PIPELINED = b"POST /in/x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"


@asynccontextmanager
async def unread(gateway: Gateway) -> AsyncIterator[tuple[asyncio.StreamWriter, wire.Connection]]:
    """A sender that reads no answer, and the gateway's side of its connection."""
    before = {one for one in gc.get_objects() if isinstance(one, wire.Connection)}
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.running.port, limit=1024)
    await asyncio.sleep(0.1)
    found = [one for one in gc.get_objects() if isinstance(one, wire.Connection) and one not in before]
    try:
        yield writer, found[0]
    finally:
        del reader
        writer.transport.abort()


def test_a_body_of_very_many_gzip_members_is_refused() -> None:
    body = gzip.compress(b"") * 1000 + gzip.compress(b"{}")
    refused = bodies.unpacked(body, "gzip", 1 << 20)
    assert isinstance(refused, bodies.Malformed)


def test_a_name_full_of_half_tags_holds_no_markup() -> None:
    assert not set("<>") & set(plain("<a " * 1365))


async def test_a_sender_that_pipelines_is_not_read_further_ahead_than_the_bound(sqlite_gateway: Gateway) -> None:
    most = 0
    async with unread(sqlite_gateway) as (writer, connection):
        writer.write(PIPELINED * 200_000)
        for _ in range(100):
            await asyncio.sleep(0.02)
            most = max(most, len(connection._buffer))
    assert most < 1 << 20


async def test_answers_that_nobody_reads_do_not_pile_up(sqlite_gateway: Gateway) -> None:
    most = 0
    async with unread(sqlite_gateway) as (writer, connection):
        for _ in range(120):
            if writer.is_closing():
                break  # the gateway has given the connection up
            writer.write(PIPELINED * 1000)
            for _ in range(10):
                await asyncio.sleep(0.01)
                if not connection._buffer and connection.task is None:
                    break
            transport = connection._transport
            most = max(most, transport.get_write_buffer_size() if transport else 0)
    assert most <= 1 << 20


def test_a_healthy_destination_waits_for_one_wave_of_hanging_ones_at_most() -> None:
    lanes = Lanes(256, 16)
    for number in range(60):
        lane = fill(healthy(lanes, number), 20)
        for place in range(start(lanes, lane)):
            lane.started[str(place)] = 0.0
    good = fill(healthy(lanes, 1000))
    begun = start(lanes, good)
    lanes.silence(1.01)
    begun += start_waiting(lanes).get(1000, 0)
    assert begun == 1
