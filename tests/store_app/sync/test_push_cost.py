"""What a push costs the network: no question is asked twice."""

from collections import Counter

import sqlalchemy as sa

from config.nodes.signing import Signer
from store_app.sync import receiver, wire
from tests.network_facts import message, push, sales
from tests.store_app.conftest import NOON, STORE


def test_a_push_asks_each_question_once_and_its_head_once_before_and_once_after(network):
    rows = [message(one, n) for n, one in enumerate(sales(STORE, 4, day=NOON.date()), 1)]
    signer, epoch, asked = Signer.make(), "epoch-S01", Counter[str]()
    engine = network.doors.database.engine
    sa.event.listen(engine, "before_cursor_execute", lambda _line, _cursor, said, *_more: asked.update([said]))
    for some in (rows[:2], rows[2:]):
        sent = wire.Push(**push(STORE, some, epoch=epoch, signer=signer, epochs=[epoch]))
        asked.clear()
        with network.doors.write() as session:
            answer = receiver.take(session, STORE, sent, at=NOON)
        assert (len(answer["taken"]), answer["books"][0]["count"]) == (2, some[-1].n)
    twice = {said.partition("FROM ")[2].split()[0]: many for said, many in asked.items() if many > 1}
    assert twice == {"inbox_head": 2}
    assert sum("inbox_head SET" in said for said in asked) == 2
