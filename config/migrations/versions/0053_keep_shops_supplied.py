"""Shops of a network with several warehouses stay with the one they order from.

Revision ID: 0053
Revises: 0052
"""

from collections import Counter

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None

LAST_ORDERS = """
    select o.store_id, s.warehouse_id from replenishment_order o join supplier s on s.id = o.supplier_id
    where s.warehouse_id is not null and s.active and o.sent_at is not null order by o.sent_at, o.id
"""
USUAL = """
    select s.warehouse_id from supplier s where s.warehouse_id is not null and s.active
    order by case when exists (select 1 from supplier_product p where p.supplier_id = s.id) then 0 else 1 end,
    s.warehouse_id limit 1
"""


def upgrade() -> None:
    """Settle each region to where most of its shops ordered last, and its shops that ordered elsewhere to there."""
    books = op.get_bind()
    if books.scalar(sa.text("select count(distinct warehouse_id) from supplier")) < 2:
        return
    usual = books.scalar(sa.text(USUAL))
    settled = {(kind, of_id) for kind, of_id in books.execute(sa.text("select kind, of_id from served_from"))}
    last = dict(books.execute(sa.text(LAST_ORDERS)).all())
    shops = books.execute(sa.text("select id, region_id from store order by id")).all()
    for (region,) in books.execute(sa.text("select id from region order by id")).all():
        if ("region", region) in settled:
            continue
        mine = {one: last[one] for one, at in shops if at == region and one in last and ("store", one) not in settled}
        house = Counter(mine.values()).most_common(1)[0][0] if mine else usual
        if house is not None:
            _settle(books, "region", region, house)
        for shop, where in mine.items():
            if where != house:
                _settle(books, "store", shop, where)


def downgrade() -> None:
    """What is settled stays: it is where the shops order."""


def _settle(books: sa.Connection, kind: str, of_id: str, house: str) -> None:
    row = {"kind": kind, "of_id": of_id, "house": house}
    books.execute(sa.text("insert into served_from (kind, of_id, warehouse_id) values (:kind, :of_id, :house)"), row)
