# SPDX-License-Identifier: Apache-2.0
"""The outside web server of the gateway's demo: who is asking, a file, and a stream without end.

python web.py
"""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET6

BLOCK = bytes(range(256)) * 64
FILE_BYTES = 8_000_000


class Answer(BaseHTTPRequestHandler):
    """`/whoami`: the client's address and port as they arrive here. `/file`: `FILE_BYTES`. `/stream`: for ever."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        if self.path == "/whoami":
            address, port = self.client_address[:2]
            self.wfile.write(f"{address.removeprefix('::ffff:')} port {port}".encode())
        elif self.path == "/file":
            for _ in range(FILE_BYTES // len(BLOCK)):
                self.wfile.write(BLOCK)
        else:
            while True:
                self.wfile.write(BLOCK)

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    address_family = AF_INET6
    daemon_threads = True


if __name__ == "__main__":
    with Server(("::", 80), Answer) as server:
        print("serving", flush=True)
        server.serve_forever()
