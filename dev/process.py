"""What is said on the screen, locks, and children that never outlive their command."""

import contextlib
import ctypes
import fcntl
import os
import signal
import subprocess
import time

from .settings import LOCKS

_libc = ctypes.CDLL(None)


class Stop(Exception):
    """An expected failure. Its text is all that the user gets to see."""


class Failed(Stop):
    """A child process ended with an error."""

    def __init__(self, command, output):
        self.output = output
        last = "\n".join(f"    {line}" for line in output.strip().splitlines()[-15:])
        super().__init__(f"{os.path.basename(str(command[0]))} failed:\n{last}")


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
        say(" not finished")
        raise
    say(f" {time.monotonic() - started:.1f} s")


@contextlib.contextmanager
def lock(name, kind=fcntl.LOCK_EX):
    """Hold the lock ``name`` of this checkout; the kernel drops those of the dead."""
    with (LOCKS / name).open("a+") as handle:
        fcntl.flock(handle, kind)
        yield handle


@contextlib.contextmanager
def claim(name):
    """Take the lock ``name`` if it is free; give whether it was."""
    try:
        with lock(name, fcntl.LOCK_EX | fcntl.LOCK_NB):
            yield True
    except BlockingIOError:
        yield False


def watch_signals():
    """Turn the first SIGINT, SIGTERM or SIGHUP into one orderly unwinding.

    Later ones are swallowed, so that an impatient second Ctrl-C does not leave
    half of the servers running.
    """
    asked = []

    def interrupt(signum, _frame):
        if not asked:
            asked.append(signum)
            raise KeyboardInterrupt

    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, interrupt)


def start(command, **options):
    """Start ``command`` in a session of its own: Ctrl-C reaches only us."""
    return subprocess.Popen(
        [str(part) for part in command],
        start_new_session=True,
        # PR_SET_PDEATHSIG: even when we are killed without a chance to clean up
        preexec_fn=lambda: _libc.prctl(1, signal.SIGTERM),
        **options,
    )


def end(child, patience=20):
    """End ``child`` and whatever it started: politely first, by force at last."""
    for signum in (signal.SIGINT, signal.SIGTERM):
        if child.poll() is None:
            os.killpg(child.pid, signum)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(patience)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


def run(command, *, check=True, output=None, **options):
    """Run ``command`` to its end and return (exit code, output).

    With ``output``, an open file, the command writes there instead. Every ten seconds
    a dot says that it still works.
    """
    options.setdefault("stdin", subprocess.DEVNULL)
    options |= {"stdout": output or subprocess.PIPE, "stderr": subprocess.STDOUT}
    child = start(command, text=True, errors="replace", **options)
    try:
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                text, _ = child.communicate(timeout=10)
                break
            print(".", end="", flush=True)
    except BaseException:
        end(child, patience=5)
        raise
    if check and child.returncode:
        raise Failed(command, text or "")
    return child.returncode, text


def run_in_front(command, **options):
    """Run ``command`` in the foreground: it gets the keyboard, Ctrl-C included."""
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    child = None
    try:
        child = subprocess.Popen(
            [str(part) for part in command],
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            **options,
        )
        return child.wait()
    finally:
        if child and child.poll() is None:
            child.terminate()
            child.wait()
        signal.signal(signal.SIGINT, handler)
