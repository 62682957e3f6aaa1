"""Requests that a web server and a node could take for two different ones: refused by both servers we run under."""

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from store_app.commands import serve
from tests.store_app.sync.test_sync import free_port

HIDDEN = b"GET /api/openapi.json?hidden HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
"""What would be answered as well, were the end of the request before it not where we see it."""
POST = b"POST /api/join HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(HIDDEN)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
REFUSED = {
    "two lengths": POST + LENGTH + b"Content-Length: 0\r\n\r\n",
    "two lengths in one": POST + b"Content-Length: 0, 9\r\n\r\n",
    "a length with a sign": POST + b"Content-Length: +0\r\n\r\n",
    "a length in hexadecimal": POST + b"Content-Length: 0x0\r\n\r\n",
    "an unknown encoding": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "two encodings": POST + CHUNKED + b"Transfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "a blank before the colon": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a control letter before the encoding": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "bare line feeds": POST.replace(b"\r\n", b"\n") + b"Content-Length: 0\n\n",
    "a bare carriage return": POST + b"X-A: b\r" + LENGTH + b"Content-Length: 0\r\n\r\n",
    "a NUL": POST + b"X-A: b\0\r\nContent-Length: 0\r\n\r\n",
    "a chunk's length with a sign": POST + CHUNKED + b"\r\n+0\r\n\r\n",
    "a chunk's length in C's way": POST + CHUNKED + b"\r\n0x0\r\n\r\n",
    "a chunk longer than it says": POST + CHUNKED + b"\r\n2\r\nabXX\r\n0\r\n\r\n",
    "a line feed in a chunk's extension": POST + CHUNKED + b"\r\n2;\nxx\r\n45\r\n0\r\n\r\n",
}
CHUNKS_COUNT = {
    "length and encoding": POST + LENGTH + CHUNKED + b"\r\n0\r\n\r\n",
    "encoding and length": POST + CHUNKED + LENGTH + b"\r\n0\r\n\r\n",
    "a folded line": POST + b"Transfer-Encoding:\r\n chunked\r\n" + LENGTH + b"\r\n0\r\n\r\n",
    "a length with an underscore": POST + CHUNKED + LENGTH.replace(b"-", b"_") + b"\r\n0\r\n\r\n",
}
"""Here RFC 9112 lets the encoding count; a server may also refuse them. In no case does the length."""


def answers(port: int, said: bytes) -> list[int]:
    """Return the status of every answer to what is said on one line."""
    with socket.create_connection(("127.0.0.1", port), 30) as line:
        line.sendall(said)
        got = b""
        with contextlib.suppress(ConnectionResetError):
            while some := line.recv(65_536):
                got += some
    return [int(part[2:5]) for part in got.split(b"HTTP/1.")[1:]]


@contextlib.contextmanager
def waitress(network) -> Iterator[int]:
    server = serve.web_server(network.app, "127.0.0.1", 0, 2)

    def run() -> None:
        with contextlib.suppress(OSError):  # closed under its feet at the end
            server.run()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield server.effective_port
    finally:
        server.close()
        thread.join()


@contextlib.contextmanager
def gunicorn(network) -> Iterator[int]:
    port = free_port()
    given = {
        "ROLE": "network", "NODE_ID": "network", "PORT": str(port), "SECRET_KEY": "k" * 32,
        "STATE_FOLDER": str(network.file.parent / "gunicorn"),
    }  # fmt: skip
    command = [sys.executable, "-m", "store_app", "serve", "--no-work", "--gunicorn"]
    environment = os.environ | {f"CORNERSTORE_{name}": value for name, value in given.items()}
    server = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        next(line for line in server.stderr if "Booting" in line)
        yield port
    finally:
        server.terminate()
        server.wait(60)
        server.stderr.close()


@pytest.mark.skipif(sys.platform == "win32", reason="gunicorn needs fork")
@pytest.mark.parametrize("serve", [waitress, gunicorn])
def test_no_request_has_two_ends(network, serve):
    with serve(network) as port:
        plain = POST + b"Content-Length: 2\r\n\r\n{}" + HIDDEN
        assert answers(port, plain) == [422, 200], "one after the other, as they are meant to be sent"
        for name, odd in REFUSED.items():
            status = answers(port, odd + HIDDEN)
            assert len(status) == 1, name
            assert 400 <= status[0] < 502, name
        for name, odd in CHUNKS_COUNT.items():
            assert answers(port, odd + HIDDEN) in ([400], [422], [422, 200]), name
