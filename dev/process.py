"""Child processes that never outlive the command that started them."""

import contextlib
import ctypes
import os
import signal
import subprocess

from .console import Stop

_libc = ctypes.CDLL(None)


class Failed(Stop):
    """A child process ended with an error."""

    def __init__(self, command, output, code):
        self.output = output
        self.code = code
        last = "\n".join(f"    {line}" for line in output.strip().splitlines()[-15:])
        super().__init__(f"{os.path.basename(str(command[0]))} failed:\n{last}")


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
    """Start ``command`` in a process group of its own.

    The terminal's Ctrl-C then reaches only us, and we pass it on once.
    """
    return subprocess.Popen(
        [str(part) for part in command],
        start_new_session=True,
        preexec_fn=_end_with_parent,
        **options,
    )


def _end_with_parent():
    # Even when we are killed without a chance to clean up, as by SIGKILL.
    PR_SET_PDEATHSIG = 1
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def end(child, patience=20):
    """End ``child`` and whatever it started: politely first, by force at last."""
    for signum, seconds in (
        (signal.SIGINT, patience),
        (signal.SIGTERM, 5),
        (signal.SIGKILL, 5),
    ):
        if child.poll() is None:
            _signal_group(child, signum)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(seconds)
    _signal_group(child, signal.SIGKILL)


def _signal_group(child, signum):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signum)


def run(command, *, check=True, output=None, **options):
    """Run ``command`` to its end and return (exit code, output).

    With ``output``, an open file, the command writes there instead. Every ten seconds
    a dot says that it still works.
    """
    child = start(
        command,
        stdin=options.pop("stdin", subprocess.DEVNULL),
        stdout=output or subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        **options,
    )
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
        raise Failed(command, text or "", child.returncode)
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
