"""Secrets that nobody gave: made once, kept for the owner's eyes, never lost or replaced."""

import stat
from pathlib import Path

import pytest

from gateway import config, keyring
from gateway.config import Config
from gateway.errors import StartRefused


def settings(folder: Path, **bootstrap: str) -> Config:
    return config.build({"storage": {"data_dir": str(folder)}, "bootstrap": bootstrap}, {}, "the test")


def test_the_first_start_makes_what_is_missing_and_the_second_finds_it(tmp_path: Path) -> None:
    first, place = keyring.complete(settings(tmp_path / "data"))
    assert place == tmp_path / "data" / "secrets.toml"
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert all(getattr(first.bootstrap, name) for name in first.bootstrap.__struct_fields__)
    assert keyring.complete(settings(tmp_path / "data")) == (first, place)
    assert keyring.found(settings(tmp_path / "data")) == first
    assert [one.name for one in place.parent.iterdir()] == ["secrets.toml"]


def test_what_is_given_wins_and_is_not_kept(tmp_path: Path) -> None:
    found, place = keyring.complete(settings(tmp_path, user_secret="given"))
    assert found.bootstrap.user_secret == "given"
    assert place is not None
    assert "given" not in place.read_text()


def test_on_postgresql_nothing_is_made_up(tmp_path: Path) -> None:
    shared = config.build({"storage": {"data_dir": str(tmp_path), "url": "postgresql://host/name"}}, {}, "the test")
    with pytest.raises(StartRefused, match=r"bootstrap\.user_secret.*security\.encryption_keys"):
        keyring.complete(shared)
    assert list(tmp_path.iterdir()) == []


def test_before_the_first_start_there_is_nothing_to_find(tmp_path: Path) -> None:
    with pytest.raises(StartRefused, match="made when `gateway serve` starts first"):
        keyring.found(settings(tmp_path))


@pytest.mark.parametrize("content", ["[bootstrap", "[bootstrap]\nuser_secret = 1\n", "[boot]\nx = 1\n"])
def test_a_spoiled_file_is_named_and_left_as_it_is(tmp_path: Path, content: str) -> None:
    (tmp_path / "secrets.toml").write_text(content)
    with pytest.raises(StartRefused, match=r"secrets\.toml"):
        keyring.complete(settings(tmp_path))
    assert (tmp_path / "secrets.toml").read_text() == content


@pytest.mark.parametrize("place", ["data", "data/deeper"])
def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, place: str) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(StartRefused, match=r"secrets\.toml cannot be used .*storage\.data_dir"):
        keyring.complete(settings(tmp_path / place))


def test_a_file_is_replaced_only_when_that_is_asked_for(tmp_path: Path) -> None:
    place = tmp_path / "file"
    keyring.write_text(place, "one", over=False)
    with pytest.raises(FileExistsError):
        keyring.write_text(place, "two", over=False)
    assert place.read_text() == "one"
    keyring.write_text(place, "two", over=True)
    assert place.read_text() == "two"
    assert [one.name for one in tmp_path.iterdir()] == ["file"]
