"""A node of the demonstration beside what its visitor does by hand."""

from config.ids import new_id
from config.nodes.journal import Context
from pos.stock import stock
from pos.stock.ledger import Place
from store_app.demo.member import Member
from supply.shelf import plan as shelf_plan
from tests.store_app.conftest import NOON, STORE
from tests.store_app.office import SYSTEM, fill


def test_the_shelf_is_filled_again_on_a_morning_on_which_more_came_by_hand(house):
    fill(house)
    with house.doors.write() as session:
        plan = shelf_plan.draft(Context(session, SYSTEM, NOON), STORE, slots=3)
        shelf_plan.approve(Context(session, SYSTEM, NOON), STORE, plan.id, from_day=NOON.date())
    member = Member(house.doors.settings, house.clock)
    filled = []
    for _ in range(2):
        member.fill_shelf()
        with house.doors.write() as session:
            filled.append(stock.levels(session, STORE, ["bread"])["bread"].by_place[Place.SHELF])
            stock.receive(Context(session, SYSTEM, NOON), STORE, [("bread", 4)], source_id=new_id())
    member.close()
    assert filled == [3, 7]
