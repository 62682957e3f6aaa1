"""Files read in a child process, on a machine where everything takes long."""

from store_app.runtime import child_process
from store_app.runtime.child_process import read_apart
from supply.receiving.documents import reading
from tests.supply.receiving.documents import made
from tests.supply.receiving.documents.made import Line, Paper


def test_a_child_that_begins_late_is_read_all_the_same(monkeypatch):
    monkeypatch.setattr(child_process, "START_S", 0.0)
    (said,) = read_apart(reading.read, made.ubl(Paper([Line("A-1", 1, "9.28")])), limit_s=200)
    assert said["number"] == "4711"
