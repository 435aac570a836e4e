"""What the demo's Odoo finds instead of the outside world.

- A mail server, which delivers nothing and keeps each mail as a file (a Maildir).
- The paid service that completes the data of companies. Odoo asks it whenever a company
  is typed or saved, and warns in its log when it does not answer. Here it knows nobody.

Run by the runtime's Python: ``python outside.py MAIL_PORT FOLDER SERVICE_PORT``.
"""

import http.server
import signal
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox


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


signal.signal(signal.SIGINT, signal.SIG_DFL)
mail_port, folder, service_port = sys.argv[1:]
Controller(Mailbox(folder), hostname="127.0.0.1", port=int(mail_port)).start()
http.server.ThreadingHTTPServer(
    ("127.0.0.1", int(service_port)), KnowsNobody
).serve_forever()
