"""How a shop's web process is run."""

import os
import threading

import pytest

from store_app.serving import stay_on_one_core


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system binds no thread to a core")
def test_the_threads_that_serve_keep_to_one_core_and_what_began_before_does_not():
    here, found = os.sched_getaffinity(0), []

    def serve() -> None:
        stay_on_one_core()
        answering = threading.Thread(target=lambda: found.append(os.sched_getaffinity(0)))
        answering.start()
        answering.join()

    serving = threading.Thread(target=serve)
    serving.start()
    serving.join()
    assert len(found[0]) == 1
    assert found[0] <= here
    assert os.sched_getaffinity(0) == here
