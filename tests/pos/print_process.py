"""A process that prints what waits, as a worker does: started twice by a test, on one database and one printer."""

import sys
import threading

import structlog

from config.clock import SystemClock
from config.database import Database, make_engine
from pos.printing import print_worker, queue
from pos.printing.models import PrinterModel
from pos.printing.printers import Outlet
from pos.printing.wires import driver_for


def main(url: str, store_id: str, wire: str) -> None:
    """Print until nothing waits any more."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    database = Database(make_engine(url))
    driver = driver_for(wire, PrinterModel(48))
    assert driver is not None
    print("ready", flush=True)
    sys.stdin.readline()
    printed, pause = 0, threading.Event()
    while True:
        printed += print_worker.print_due(database, store_id, [Outlet(driver)], now=SystemClock().now, limit=1).printed
        with database.read() as session:
            if session.scalar(queue.waiting(store_id).limit(1)) is None:
                break
        pause.wait(0.01)  # the other one may have the printer in hand
    print(printed, flush=True)
    database.engine.dispose()


if __name__ == "__main__":
    main(*sys.argv[1:])
