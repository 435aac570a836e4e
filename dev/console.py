"""What the commands say on the screen."""

import contextlib
import sys
import time


class Stop(Exception):
    """An expected failure. Its text is all that the user gets to see."""


def say(text=""):
    print(text, flush=True)


@contextlib.contextmanager
def step(title):
    """Announce a piece of work and, when it is done, how long it took."""
    started = time.monotonic()
    print(f"  {title} ...", end="", flush=True)
    try:
        yield
    except BaseException:
        print(" not finished", flush=True)
        raise
    print(f" {time.monotonic() - started:.1f} s", flush=True)


def complain(text):
    print(text, file=sys.stderr, flush=True)
