"""Locks between commands of the same checkout.

They are ``flock`` locks: the kernel drops them when their holder dies, however
it dies, so an interrupted command never locks out the next one.
"""

import contextlib
import fcntl

from .settings import RUNTIME


def _lock(name, kind):
    handle = (RUNTIME / "locks" / name).open("a+")
    fcntl.flock(handle, kind)
    return handle


@contextlib.contextmanager
def exclusive(name):
    """Wait for the lock ``name`` and hold it."""
    with _lock(name, fcntl.LOCK_EX):
        yield


@contextlib.contextmanager
def claim(name):
    """Take the lock ``name`` if it is free; give whether it was."""
    try:
        with _lock(name, fcntl.LOCK_EX | fcntl.LOCK_NB):
            yield True
    except BlockingIOError:
        yield False


class Shared:
    """A lock that many may hold, and whose last holder can tell that it is."""

    def __init__(self, name):
        self._handle = _lock(name, fcntl.LOCK_SH)

    def release(self):
        """Let go; return whether nobody else was holding it."""
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            self._handle.close()
        return True
