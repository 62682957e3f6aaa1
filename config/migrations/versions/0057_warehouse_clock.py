"""By whose clock a warehouse keeps its days.

Revision ID: 0057
Revises: 0056
"""

import sqlalchemy as sa
from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "book_clock",
        sa.Column("book_id", sa.Text(), nullable=False),
        sa.Column("tz", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("book_id", name=op.f("pk_book_clock")),
    )
    # so far a warehouse had the clock of the network's first shop
    houses = sa.text("select distinct warehouse_id from supplier where warehouse_id is not null")
    tz = op.get_bind().execute(sa.text("select tz from store order by id limit 1")).scalar()
    for (house,) in op.get_bind().execute(houses).all() if tz else ():
        row = {"house": house, "tz": tz}
        op.get_bind().execute(sa.text("insert into book_clock (book_id, tz) values (:house, :tz)"), row)


def downgrade() -> None:
    op.drop_table("book_clock")
