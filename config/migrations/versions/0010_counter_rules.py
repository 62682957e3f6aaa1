"""How many pieces a markdown is for, and the aisle a line was sold under.

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
    with op.batch_alter_table("sale_line", schema=None) as batch_op:
        batch_op.add_column(sa.Column("aisle", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("sale_line", schema=None) as batch_op:
        batch_op.drop_column("aisle")
    op.drop_table("marked_down")
