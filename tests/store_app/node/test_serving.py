"""How a store's web process is run."""

import os
import socket
import threading

import pytest

from config.errors import Unreachable
from store_app.commands.serve import pin_to_one_core, refuse_port


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system binds no thread to a core")
def test_the_threads_that_serve_keep_to_one_core_and_what_began_before_does_not():
    here, found = os.sched_getaffinity(0), []

    def serve() -> None:
        pin_to_one_core()
        answering = threading.Thread(target=lambda: found.append(os.sched_getaffinity(0)))
        answering.start()
        answering.join()

    serving = threading.Thread(target=serve)
    serving.start()
    serving.join()
    assert len(found[0]) == 1
    assert found[0] <= here
    assert os.sched_getaffinity(0) == here


def test_a_port_that_is_not_to_be_had_is_said_with_what_to_do():
    with socket.socket() as another:
        another.bind(("127.0.0.1", 0))
        another.listen()
        port = another.getsockname()[1]
        with pytest.raises(Unreachable, match=f"Another program uses port {port}.*set another port") as taken:
            refuse_port("127.0.0.1", port)
    assert taken.value.code == "port-taken"
    refuse_port("127.0.0.1", port)
    with pytest.raises(Unreachable, match=r"Port 8000 at 192\.0\.2\.1"):
        refuse_port("192.0.2.1", 8000)  # an address that no computer has
