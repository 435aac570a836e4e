"""Locks between commands of the same checkout.

They are ``flock`` locks: the kernel drops them when their holder dies, however
it dies, so an interrupted command never locks out the next one.
"""

import contextlib
import fcntl

from .settings import RUNTIME


def _open(name):
    folder = RUNTIME / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    return (folder / name).open("a+")


@contextlib.contextmanager
def exclusive(name):
    """Wait for the lock ``name`` and hold it."""
    with _open(name) as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


class Shared:
    """A lock that many may hold, and whose last holder can tell that it is."""

    def __init__(self, name):
        self._handle = _open(name)
        fcntl.flock(self._handle, fcntl.LOCK_SH)

    def release(self):
        """Let go; return whether nobody else was holding it."""
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            self._handle.close()
        return True


class Claim:
    """A lock for one holder, with a text that tells others who holds it."""

    def __init__(self, name):
        self._handle = _open(name)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.mine = True
        except BlockingIOError:
            self.mine = False

    def read(self):
        self._handle.seek(0)
        return self._handle.read().strip()

    def write(self, text):
        self._handle.truncate(0)
        self._handle.write(text)
        self._handle.flush()

    def release(self):
        if self.mine:
            self._handle.truncate(0)
        self._handle.close()
