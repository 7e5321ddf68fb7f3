"""A small reverse proxy, as people put before the dashboard: it passes on what comes, and holds nothing back."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

HOPS = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})


@contextmanager
def proxy(to: str, prefix: str = "", *, strips: bool = False) -> Iterator[int]:
    """Serves what is at `to` (host:port) under `prefix`, which it takes off or leaves on. Yields its port."""
    refuses_others = prefix

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._pass_on(None)

        def do_POST(self) -> None:
            self._pass_on(self.rfile.read(int(self.headers.get("content-length", "0"))))

        def _pass_on(self, body: bytes | None) -> None:
            if refuses_others and not (self.path == prefix or self.path.startswith(prefix + "/")):
                self.send_error(404)  # what is there belongs to another program
                return
            path = self.path[len(prefix) :] or "/" if strips else self.path
            headers = {name: value for name, value in self.headers.items() if name.lower() not in HOPS}
            headers |= {"X-Forwarded-For": self.client_address[0], "X-Forwarded-Proto": "http"}
            upstream = http.client.HTTPConnection(to, timeout=60)
            try:
                upstream.request(self.command, path, body, headers)
                answer = upstream.getresponse()
                self.send_response_only(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in HOPS:
                        self.send_header(name, value)
                self.send_header("Connection", "close")
                self.end_headers()
                while chunk := answer.read1(65_536):
                    self.wfile.write(chunk)
                    self.wfile.flush()
            except (OSError, http.client.HTTPException, ValueError):
                pass  # one of the two went away
            finally:
                upstream.close()
                self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with serving(Handler) as port:
        yield port


@contextmanager
def page_of_another_site(html: str) -> Iterator[int]:
    """A site that has nothing to do with us. Yields its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with serving(Handler) as port:
        yield port


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """A server on a thread, until the end of the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
