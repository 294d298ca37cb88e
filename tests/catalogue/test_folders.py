"""What counts of the operator's folders when their files change under a running gateway."""

import os
from pathlib import Path

import pytest

from gateway.catalogue import folders as module
from gateway.catalogue.folders import Folders, Look
from gateway.errors import CatalogueError
from tests.catalogue.connector_file import HEAD


def write(file: Path, text: str) -> None:
    """A change that the file's stamp shows, however coarse the clock of the file system is."""
    before = file.stat().st_mtime_ns if file.exists() else 0
    file.write_text(text)
    os.utime(file, ns=(before + 1_000_000_000, before + 1_000_000_000))


def named(name: str, key: str = "shop") -> str:
    return HEAD.replace('"shop"', f'"{key}"').replace('"Shop"', f'"{name}"')


def opened(folder: Path) -> Folders:
    found = Folders([folder])
    found.load()
    return found


def rested(folders: Folders) -> Look:
    """The look after one that saw the same."""
    folders.look()
    return folders.look()


def names(look: Look) -> dict[str, str]:
    return {key: one.name for key, one in look.own.items()}


def test_a_new_file_and_a_changed_one_count_once_they_rest(tmp_path: Path) -> None:
    write(tmp_path / "shop.toml", named("Old"))
    folders = opened(tmp_path)
    assert names(folders.look()) == {"shop": "Old"}
    write(tmp_path / "shop.toml", named("New"))
    write(tmp_path / "more.toml", named("More", "more"))
    assert names(folders.look()) == {"shop": "Old"}
    assert names(folders.look()) == {"shop": "New", "more": "More"}


def test_a_file_that_still_moves_is_no_alarm(tmp_path: Path) -> None:
    write(tmp_path / "shop.toml", named("Old"))
    folders = opened(tmp_path)
    for length in (5, 20, 40):
        write(tmp_path / "shop.toml", named("New")[:length])
        look = folders.look()
        assert (names(look), look.refused) == ({"shop": "Old"}, {})
    write(tmp_path / "shop.toml", named("New"))
    assert names(rested(folders)) == {"shop": "New"}


def test_a_broken_file_is_told_once_a_change_and_the_last_good_one_stays(tmp_path: Path) -> None:
    file = tmp_path / "shop.toml"
    write(file, named("Old"))
    folders = opened(tmp_path)
    write(file, named("New") + "zzz = 1\n")
    look = rested(folders)
    assert names(look) == {"shop": "Old"}
    assert "zzz: unknown key" in look.refused[file]
    assert look.news == look.refused
    again = folders.look()
    assert (again.refused, again.news) == (look.refused, {})
    write(file, named("Newer") + "zzz = 1\n")
    assert rested(folders).news == look.refused
    write(file, named("Newest"))
    mended = rested(folders)
    assert (names(mended), mended.refused) == ({"shop": "Newest"}, {})


def test_a_file_that_is_gone_is_believed_after_two_looks(tmp_path: Path) -> None:
    write(tmp_path / "shop.toml", named("Shop"))
    folders = opened(tmp_path)
    (tmp_path / "shop.toml").unlink()
    assert names(folders.look()) == {"shop": "Shop"}
    assert names(folders.look()) == {}


def test_a_file_that_is_put_in_the_place_of_another_is_never_gone(tmp_path: Path) -> None:
    write(tmp_path / "shop.toml", named("Old"))
    folders = opened(tmp_path)
    (tmp_path / "shop.toml").unlink()
    folders.look()
    write(tmp_path / "shop.toml", named("New"))
    assert names(folders.look()) == {"shop": "Old"}
    assert names(folders.look()) == {"shop": "New"}


def test_of_two_files_with_one_key_the_newcomer_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    write(tmp_path / "b.toml", named("First"))
    folders = opened(tmp_path)
    write(tmp_path / "a.toml", named("Second"))
    look = rested(folders)
    assert names(look) == {"shop": "First"}
    assert f"is the key of {tmp_path / 'b.toml'} too" in look.refused[tmp_path / "a.toml"]
    (tmp_path / "b.toml").unlink()
    gone = rested(folders)
    assert (names(gone), gone.refused) == ({"shop": "Second"}, {})


def test_a_key_that_changes_in_a_file_leaves_the_old_one(tmp_path: Path) -> None:
    write(tmp_path / "shop.toml", named("Shop"))
    folders = opened(tmp_path)
    write(tmp_path / "shop.toml", named("Store", "store"))
    assert names(rested(folders)) == {"store": "Store"}


def test_a_key_that_changes_to_one_of_another_file_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path / "a.toml", named("A", "a"))
    write(tmp_path / "b.toml", named("B", "b"))
    folders = opened(tmp_path)
    write(tmp_path / "a.toml", named("Changed", "b"))
    look = rested(folders)
    assert names(look) == {"a": "A", "b": "B"}
    assert list(look.refused) == [tmp_path / "a.toml"]


def test_two_files_can_change_their_keys_with_each_other(tmp_path: Path) -> None:
    write(tmp_path / "1.toml", named("One", "a"))
    write(tmp_path / "2.toml", named("Two", "b"))
    folders = opened(tmp_path)
    write(tmp_path / "1.toml", named("One", "b"))
    write(tmp_path / "2.toml", named("Two", "a"))
    look = rested(folders)
    assert (names(look), look.refused) == ({"a": "Two", "b": "One"}, {})


def test_a_link_counts_as_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "v1").mkdir()
    (tmp_path / "read").mkdir()
    write(tmp_path / "v1" / "shop.toml", named("Old"))
    (tmp_path / "read" / "shop.toml").symlink_to(tmp_path / "v1" / "shop.toml")
    folders = opened(tmp_path / "read")
    write(tmp_path / "v1" / "shop.toml", named("New"))
    assert names(rested(folders)) == {"shop": "New"}


def test_links_in_circles_pipes_and_folders_that_look_like_files_are_refused(tmp_path: Path) -> None:
    folders = opened(tmp_path)
    (tmp_path / "self.toml").symlink_to(tmp_path / "self.toml")
    (tmp_path / "folder.toml").mkdir()
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "around").symlink_to(tmp_path)
    look = rested(folders)
    assert sorted(path.name for path in look.refused) == ["folder.toml", "pipe.toml", "self.toml"]
    assert all("cannot be read" in why for why in look.refused.values())


def test_a_folder_that_cannot_be_listed_leaves_everything_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    write(folder / "shop.toml", named("Shop"))
    folders = opened(folder)
    folder.rename(tmp_path / "away")
    for _ in range(3):
        look = folders.look()
        assert names(look) == {"shop": "Shop"}
    assert list(look.refused) == [folder]
    (tmp_path / "away").rename(folder)
    assert folders.look().refused == {}


def test_a_folder_of_endless_files_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path / "shop.toml", named("Shop"))
    folders = opened(tmp_path)
    for n in range(10_001):
        (tmp_path / f"{n}.toml").touch()
    look = rested(folders)
    assert names(look) == {"shop": "Shop"}
    assert "more than 10000 connector files" in look.refused[tmp_path]


def test_many_changes_at_once_are_read_in_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_A_LOOK", 2)
    folders = opened(tmp_path)
    for n in range(5):
        write(tmp_path / f"{n}.toml", named("Shop", f"shop{n}"))
    folders.look()
    assert [len(folders.look().own) for _ in range(4)] == [2, 4, 5, 5]


def test_nothing_new_is_the_same_object(tmp_path: Path) -> None:
    write(tmp_path / "shop.toml", named("Shop"))
    folders = opened(tmp_path)
    assert folders.look().own is folders.look().own is folders.own


def test_a_broken_file_refuses_the_start(tmp_path: Path) -> None:
    write(tmp_path / "shop.toml", "key = 1")
    with pytest.raises(CatalogueError, match=r"shop\.toml"):
        Folders([tmp_path]).load()
