"""How many pieces a markdown is for, the aisle a line was sold under, and the hours some aisles are sold in.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "marked_down",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("offer_id", sa.Text(), nullable=False),
        sa.Column("marked_qty", sa.BigInteger(), nullable=False),
        sa.Column("sold_qty", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("sold_qty between 0 and marked_qty", name=op.f("ck_marked_down_sold_of_marked")),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"], name=op.f("fk_marked_down_offer_id_offer")),
        sa.PrimaryKeyConstraint("store_id", "offer_id", name=op.f("pk_marked_down")),
    )
    op.create_table(
        "selling_hours",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("from_minute", sa.BigInteger(), nullable=False),
        sa.Column("until_minute", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "from_minute between 0 and 1439 and until_minute between 0 and 1439 and from_minute <> until_minute",
            name=op.f("ck_selling_hours_within_a_day"),
        ),
        sa.ForeignKeyConstraint(["store_id"], ["store.id"], name=op.f("fk_selling_hours_store_id_store")),
        sa.PrimaryKeyConstraint("store_id", "kind", name=op.f("pk_selling_hours")),
    )
    with op.batch_alter_table("sale_line", schema=None) as batch_op:
        batch_op.add_column(sa.Column("aisle", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("sale_line", schema=None) as batch_op:
        batch_op.drop_column("aisle")
    op.drop_table("selling_hours")
    op.drop_table("marked_down")
