# SPDX-License-Identifier: Apache-2.0
"""Compiled objects on disk: a folder of files named after the hash of all they were made from.

Several processes may share it: a file appears whole, by renaming, and is never written again. What was not used for
longest goes first when the folder outgrows its bound; an object that is loaded stays usable without its name.
"""

from __future__ import annotations

import logging
import os
import stat
import tempfile
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from shutil import rmtree

logger = logging.getLogger("softnic.native")

CAPACITY_BYTES = 256 << 20
"""About a thousand programs."""

_WORK = ".making-"
_LEFT_OVER_S = 24 * 3600


class ObjectCache:
    """One folder; `capacity_bytes` bounds what all its files take together."""

    def __init__(self, folder: Path, capacity_bytes: int = CAPACITY_BYTES) -> None:
        self.folder = folder
        self._capacity_bytes = capacity_bytes

    def get(self, name: str, make: Callable[[Path], None]) -> Path:
        """The file of that name; if there is none, what `make` writes to the path it is given.

        Raises:
            OSError: the folder can't be written to. What `make` raises passes through and leaves nothing behind.
        """
        path = self.folder / name
        try:
            os.utime(path)
        except FileNotFoundError:
            self._add(path, make)
        return path

    def has(self, name: str) -> bool:
        return (self.folder / name).exists()

    def _add(self, path: Path, make: Callable[[Path], None]) -> None:
        with tempfile.TemporaryDirectory(prefix=_WORK, dir=self.folder) as work:
            made = Path(work) / path.name
            make(made)
            made.rename(path)
        self._prune(keep=path)

    def _prune(self, keep: Path) -> None:
        self._remove_leftovers()
        files = sorted(_files(self.folder), key=lambda file: file[1].st_mtime_ns)
        excess = sum(status.st_size for _, status in files) - self._capacity_bytes
        for path, status in files:
            if excess <= 0:
                return
            if path != keep:
                path.unlink(missing_ok=True)
                excess -= status.st_size

    def _remove_leftovers(self) -> None:
        """Of processes that were killed while they made something."""
        for work in self.folder.glob(f"{_WORK}*"):
            with suppress(FileNotFoundError):
                if time.time() - work.stat().st_mtime > _LEFT_OVER_S:
                    rmtree(work, ignore_errors=True)


def user_cache() -> ObjectCache:
    """The cache in ``$XDG_CACHE_HOME/softnic`` (``~/.cache/softnic``).

    Code from it is run: a folder that somebody else owns or may write to is as unusable as one that can't be made. Then
    the cache is a private folder that goes when the process ends.
    """
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "softnic"
    if _is_usable(folder):
        return ObjectCache(folder)
    logger.warning("%s is not a folder that only this user may write to: what is compiled is not kept", folder)
    return _private_cache()


def _is_usable(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
    except OSError:
        return False
    others_may_write = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return status.st_uid == os.geteuid() and not others_may_write and os.access(folder, os.W_OK | os.X_OK)


def _private_cache() -> ObjectCache:
    cache = ObjectCache(Path(tempfile.mkdtemp(prefix="softnic-")))
    weakref.finalize(cache, rmtree, cache.folder, ignore_errors=True)
    return cache


def _files(folder: Path) -> list[tuple[Path, os.stat_result]]:
    """Those that are still there when they are looked at: other processes prune too."""
    files = []
    for path in folder.iterdir():
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        if stat.S_ISREG(status.st_mode):
            files.append((path, status))
    return files
