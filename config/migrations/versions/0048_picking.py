"""Goods are picked by lists, from bays, and shops hear why less comes.

Revision ID: 0048
Revises: 0047
"""

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pick_list",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("warehouse_id", sa.Text(), nullable=False),
        sa.Column("pick_no", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pick_list")),
        sa.UniqueConstraint("warehouse_id", "pick_no", name=op.f("uq_pick_list_warehouse_id_pick_no")),
    )
    op.create_index("ix_pick_list_state", "pick_list", ["state"])
    op.create_table(
        "pick_line",
        sa.Column("pick_id", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("pack_qty", sa.BigInteger(), nullable=False),
        sa.Column("qty", sa.BigInteger(), nullable=False),
        sa.Column("picked_qty", sa.BigInteger(), nullable=True),
        sa.Column("short_why", sa.Text(), nullable=False),
        sa.Column("picked_by", sa.Text(), nullable=False),
        sa.CheckConstraint("qty > 0", name=op.f("ck_pick_line_qty_positive")),
        sa.CheckConstraint("picked_qty between 0 and qty", name=op.f("ck_pick_line_picked_within")),
        sa.ForeignKeyConstraint(["pick_id"], ["pick_list.id"], name=op.f("fk_pick_line_pick_id_pick_list")),
        sa.PrimaryKeyConstraint("pick_id", "store_id", "source", "source_id", "sku", name=op.f("pk_pick_line")),
    )
    op.create_index("ix_pick_line_source", "pick_line", ["store_id", "source_id"])
    op.create_table(
        "bay",
        sa.Column("warehouse_id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["sku"], ["product.sku"], name=op.f("fk_bay_sku_product")),
        sa.PrimaryKeyConstraint("warehouse_id", "sku", name=op.f("pk_bay")),
    )
    op.add_column("premises", sa.Column("by_list", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("delivery_line", sa.Column("promised_qty", sa.BigInteger(), nullable=True))
    op.add_column("delivery_line", sa.Column("less_why", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("delivery_line", "less_why")
    op.drop_column("delivery_line", "promised_qty")
    op.drop_column("premises", "by_list")
    for table in ("bay", "pick_line", "pick_list"):
        op.drop_table(table)
