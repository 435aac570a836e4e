"""A mail server for the demo: it delivers nothing and keeps each mail as a file.

Run by the runtime's Python: ``python mailbox.py PORT FOLDER``.
"""

import datetime
import email
import email.policy
import re
import signal
import sys
from pathlib import Path

from aiosmtpd.controller import Controller


class Keeper:
    def __init__(self, folder):
        self.folder = folder

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(
            envelope.original_content, policy=email.policy.default
        )
        label = f"{', '.join(envelope.rcpt_tos)} {message.get('Subject', '')}"
        label = re.sub(r"[^\w@.-]+", "_", label).strip("_")[:100]
        now = datetime.datetime.now().strftime("%Y-%m-%d_%H-%M-%S.%f")
        path = self.folder / f"{now}_{label}.eml"
        path.write_bytes(envelope.original_content)
        return "250 OK"


def main(port, folder):
    folder.mkdir(parents=True, exist_ok=True)
    controller = Controller(Keeper(folder), hostname="127.0.0.1", port=port)
    controller.start()
    signal.sigwait({signal.SIGINT, signal.SIGTERM})
    controller.stop()


if __name__ == "__main__":
    # Before the server's thread starts, so that it inherits the mask.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    main(int(sys.argv[1]), Path(sys.argv[2]))
