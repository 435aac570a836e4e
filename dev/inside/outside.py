"""What the demo's Odoo finds instead of the outside world.

- A mail server, which delivers nothing and keeps each mail as a file.
- The paid service that completes the data of companies. Odoo asks it whenever a company
  is typed or saved, and warns in its log when it does not answer. Here it knows nobody.

Run by the runtime's Python: ``python outside.py MAIL_PORT FOLDER SERVICE_PORT``.
"""

import datetime
import email
import email.policy
import http.server
import re
import signal
import sys
import threading
from pathlib import Path

from aiosmtpd.controller import Controller


class MailKeeper:
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


class KnowsNobody(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        answer = b'{"jsonrpc": "2.0", "id": null, "result": {"data": []}}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args):
        """Say nothing: Odoo's log has the request."""


def main(mail_port, folder, service_port):
    folder.mkdir(parents=True, exist_ok=True)
    mail = Controller(MailKeeper(folder), hostname="127.0.0.1", port=mail_port)
    mail.start()
    service = http.server.ThreadingHTTPServer(("127.0.0.1", service_port), KnowsNobody)
    threading.Thread(target=service.serve_forever, daemon=True).start()
    signal.sigwait({signal.SIGINT, signal.SIGTERM})
    mail.stop()


if __name__ == "__main__":
    # Before the threads start, so that they inherit the mask.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
