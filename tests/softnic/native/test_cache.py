# SPDX-License-Identifier: Apache-2.0
"""Objects on disk: made once, whole or not at all, and not without bound."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from softnic.native.cache import ObjectCache, user_cache

DAY_S = 24 * 3600


@pytest.fixture
def cache(tmp_path: Path) -> ObjectCache:
    return ObjectCache(tmp_path, capacity_bytes=100)


def write(size: int, path: Path) -> None:
    path.write_bytes(bytes(size))


def used_ago(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_an_object_is_made_once(cache: ObjectCache) -> None:
    made: list[Path] = []

    def make(path: Path) -> None:
        made.append(path)
        path.write_text("object")

    assert [cache.get("a.so", make).read_text() for _ in range(3)] == ["object"] * 3
    assert len(made) == 1


def test_a_failed_attempt_leaves_nothing_behind(cache: ObjectCache) -> None:
    def fail(path: Path) -> None:
        path.write_text("half")
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        cache.get("a.so", fail)
    assert list(cache.folder.iterdir()) == []
    assert not cache.has("a.so")


def test_an_object_appears_whole(cache: ObjectCache) -> None:
    def make(path: Path) -> None:
        path.write_text("half")
        assert not cache.has("a.so")
        path.write_text("whole")

    assert cache.get("a.so", make).read_text() == "whole"


def test_what_was_not_used_for_longest_goes_first(cache: ObjectCache) -> None:
    for name, seconds in (("old", 300), ("older", 400), ("oldest", 500)):
        used_ago(cache.get(name, lambda path: write(33, path)), seconds)
    cache.get("oldest", lambda path: write(33, path))
    cache.get("new", lambda path: write(33, path))
    assert sorted(path.name for path in cache.folder.iterdir()) == ["new", "old", "oldest"]


def test_an_object_larger_than_the_cache_is_kept_while_it_is_the_newest(cache: ObjectCache) -> None:
    assert cache.get("large", lambda path: write(200, path)).stat().st_size == 200


def test_what_a_killed_process_left_goes_after_a_day(cache: ObjectCache) -> None:
    left, in_work = cache.folder / ".making-left", cache.folder / ".making-now"
    for folder in (left, in_work):
        folder.mkdir()
    used_ago(left, DAY_S + 60)
    cache.get("a.so", lambda path: write(1, path))
    assert (left.exists(), in_work.exists()) == (False, True)


def test_the_users_cache_is_where_xdg_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert user_cache().folder == tmp_path / "softnic"
    assert (tmp_path / "softnic").stat().st_mode & 0o777 == 0o700


def test_a_folder_that_others_may_write_to_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "softnic").mkdir()
    (tmp_path / "softnic").chmod(0o777)
    assert user_cache().folder.parent != tmp_path
    assert f"{tmp_path / 'softnic'} is not a folder that only this user may write to" in caplog.text


def test_a_private_folder_stands_in_for_one_that_cannot_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    cache = user_cache()
    folder = cache.folder
    assert cache.get("a.so", lambda path: write(1, path)).exists()
    del cache
    assert not folder.exists()
