"""A node's application on a port of its own, as a browser finds it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from flask import Flask
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.wsgi import FileWrapper

from tests.store_app.house import House

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class Quiet(WSGIRequestHandler):
    """Serves without telling about every request, and lets go of the file that was on its way to a browser that went.

    werkzeug forgets it where what the browser still sends cannot be read.
    """

    server: "Served"

    def run_wsgi(self) -> None:
        """Answer, unless the server died since the browser opened the line."""
        with self.server.inside() as is_open:
            if is_open:
                super().run_wsgi()

    def make_environ(self) -> "WSGIEnvironment":
        """Note the file of an answer."""
        self._under_way: list[FileWrapper] = []
        return super().make_environ() | {"wsgi.file_wrapper": self._file}

    def _file(self, file: IO[bytes], size: int) -> FileWrapper:
        self._under_way.append(FileWrapper(file, size))
        return self._under_way[-1]

    def connection_dropped(self, error: BaseException, environ: "WSGIEnvironment | None" = None) -> None:
        """Let go of it."""
        for file in self._under_way:
            file.close()

    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing."""


class Served(ThreadedWSGIServer):
    """A server that runs from the beginning; once it is stopped nobody is answered, and nobody is inside any more."""

    def __init__(self, app: Flask, port: int = 0) -> None:
        self._is_open, self._inside, self._left = True, 0, threading.Condition()
        super().__init__("127.0.0.1", port, app, handler=Quiet)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.server_port}"

    @contextmanager
    def inside(self) -> Iterator[bool]:
        """Count an answer while it is made; tells whether there may be one."""
        with self._left:
            self._inside += 1
            is_open = self._is_open
        try:
            yield is_open
        finally:
            with self._left:
                self._inside -= 1
                self._left.notify_all()

    def stop(self) -> None:
        """Die: from now on nobody answers, also on a line that was opened before."""
        with self._left:
            self._is_open = False
        self.shutdown()
        self.server_close()
        self._thread.join()
        with self._left:
            assert self._left.wait_for(lambda: self._inside == 0, timeout=60), "an answer takes for ever"


@contextmanager
def serve(house: House) -> Iterator[str]:
    """Serve a node for one test; gives its address."""
    server = Served(house.app)
    try:
        yield server.url
    finally:
        server.stop()
