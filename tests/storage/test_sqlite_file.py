"""The SQLite file: one process, durable to the last commit, and refusals that say what to do."""

import asyncio
import os
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from gateway.errors import StartRefused, StorageDown
from gateway.storage.open import connect, open_database
from gateway.storage.sqlite import open_sqlite
from tests.storage.things import count, keys, put, table

_OPEN = """
import asyncio, os, sys
from gateway.errors import StartRefused
from gateway.storage.open import open_database

async def main() -> None:
    async with open_database(sys.argv[1], min_free=0, auto_migrate=True):
        print("open", flush=True)
        await asyncio.sleep(60)

if len(sys.argv) > 2:
    os.setgroups([]); os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2]))
try:
    asyncio.run(main())
except StartRefused as problem:
    print(problem)
"""


def _process(url: str, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", _OPEN, url, *arguments], stdout=subprocess.PIPE, text=True)


def _first_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    with process.stdout:
        line: str = process.stdout.readline()
    process.kill()
    process.wait()
    return line


def _as_nobody(url: str) -> str:
    """What somebody without special rights is told; root may write everywhere, so another user is asked."""
    return _first_line(_process(url, *(["65534"] if os.getuid() == 0 else [])))


async def test_a_second_process_is_refused_and_told_what_to_do(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'gateway.db'}"
    async with connect(url, min_free=0):
        told = await asyncio.to_thread(_first_line, _process(url))
    assert "Another gateway owns" in told
    assert "storage.data_dir" in told
    assert "postgresql://" in told
    assert await asyncio.to_thread(_first_line, _process(url)) == "open\n"


async def test_the_same_file_by_another_name_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path / "gateway.db")
    async with connect(f"sqlite:///{tmp_path / 'gateway.db'}", min_free=0):
        with pytest.raises(StartRefused, match="Another gateway owns"):
            async with connect(f"sqlite:///{tmp_path / 'link.db'}", min_free=0):
                pass


async def test_a_killed_owner_stands_in_nobodys_way(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'gateway.db'}"
    assert await asyncio.to_thread(_first_line, _process(url)) == "open\n"  # and killed with SIGKILL
    async with open_database(url, min_free=0, auto_migrate=True):
        pass


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    _reachable(tmp_path)
    folder = tmp_path / "closed"
    folder.mkdir(0o555)
    assert "set storage.data_dir" in _as_nobody(f"sqlite:///{folder / 'gateway.db'}")
    assert "set storage.data_dir" in _as_nobody(f"sqlite:///{folder / 'deeper' / 'gateway.db'}")


def test_a_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    _reachable(tmp_path)
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    (folder / "gateway.db").touch()
    (folder / "gateway.db").chmod(0o444)
    assert "is read-only" in _as_nobody(f"sqlite:///{folder / 'gateway.db'}")


def _reachable(path: Path) -> None:
    root = Path(tempfile.gettempdir())
    for folder in (path, *(parent for parent in path.parents if root in parent.parents)):
        folder.chmod(0o755)


@pytest.mark.parametrize(
    "content",
    [b"this is no database, but long enough to be read as one " * 40, b"SQLite format 3\x00" + b"\xff" * 5000],
)
async def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "gateway.db"
    path.write_bytes(content)
    with pytest.raises(StartRefused, match="cannot be opened as a SQLite database"):
        async with connect(f"sqlite:///{path}", min_free=0):
            pass
    assert path.read_bytes() == content


def test_a_refused_start_leaves_nothing_else_on_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "gateway.db").write_bytes(b"no database " * 400)
    command = [sys.executable, "-c", _OPEN, f"sqlite:///{tmp_path / 'gateway.db'}"]
    for _ in range(3):
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert "cannot be opened as a SQLite database" in done.stdout
        assert done.stderr == ""


async def test_commits_are_durable_and_readers_cannot_write(tmp_path: Path) -> None:
    async with open_sqlite(tmp_path / "gateway.db", min_free=0) as database:
        for connection in (database._writer, *database._readers):
            mode, level = await connection.run(_settings)
            assert (mode, level) == ("wal", 2)  # FULL
        with pytest.raises(StorageDown, match="readonly"):
            await database.all("CREATE TABLE sneaked (id TEXT)")


def _settings(connection: sqlite3.Connection) -> tuple[str, int]:
    mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    return mode, connection.execute("PRAGMA synchronous").fetchone()[0]


async def test_the_file_and_its_folder_are_for_their_owner(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    async with connect(f"sqlite:///{path}", min_free=0):
        assert path.stat().st_mode & 0o077 == 0


async def test_a_full_disk_is_an_outage_that_ends_when_there_is_room(tmp_path: Path) -> None:
    async with open_sqlite(tmp_path / "gateway.db", min_free=0) as database:
        await table(database)
        await database._writer.run(lambda connection: connection.execute("PRAGMA max_page_count=40").fetchall())
        outcomes = await asyncio.gather(
            *(database.write(put("k" * 4000 + str(number))) for number in range(60)), return_exceptions=True
        )
        assert {type(outcome) for outcome in outcomes} == {StorageDown}
        with pytest.raises(StorageDown, match="full"):
            async with database.transaction() as transaction:
                await transaction.execute("INSERT INTO things (id, bytes) VALUES ('big', zeroblob(1000000))")
        assert await database.write(put("small")) == "small"
        await database._writer.run(lambda connection: connection.execute("PRAGMA max_page_count=100000").fetchall())
        await asyncio.gather(*(database.write(put("k" * 4000 + str(number))) for number in range(60)))
        assert await count(database) == 61


async def test_too_little_free_space_is_an_outage_before_the_disk_is_full(tmp_path: Path) -> None:
    async with connect(f"sqlite:///{tmp_path / 'gateway.db'}", min_free=0) as database:
        await table(database)
    async with connect(f"sqlite:///{tmp_path / 'gateway.db'}", min_free=1 << 60) as database:
        with pytest.raises(StorageDown, match=r"less than storage\.min_free"):
            await database.write(put("a"))
        with pytest.raises(StorageDown, match=r"less than storage\.min_free"):
            async with database.transaction():
                pass
        assert await keys(database) == []


async def test_a_start_with_too_little_free_space_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(StartRefused, match=r"less than storage\.min_free"):
        async with open_database(f"sqlite:///{tmp_path / 'gateway.db'}", min_free=1 << 60, auto_migrate=True):
            pass
