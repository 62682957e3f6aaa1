"""Goods between shops: what each can spare, and what one gives another.

Revision ID: 0022
Revises: 0023
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.create_table(
        "transfer_sheet",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", name=op.f("pk_transfer_sheet")),
    )
    op.create_table(
        "goods_transfer",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("giver_id", sa.Text(), nullable=False),
        sa.Column("taker_id", sa.Text(), nullable=False),
        sa.Column("giver_name", sa.Text(), nullable=False),
        sa.Column("taker_name", sa.Text(), nullable=False),
        sa.Column("metres", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer_by", sa.Date(), nullable=False),
        sa.Column("fetch_by", sa.Date(), nullable=False),
        sa.Column("giver_minor", sa.BigInteger(), nullable=True),
        sa.Column("taker_minor", sa.BigInteger(), nullable=True),
        sa.Column("giver_yes", sa.Boolean(), nullable=False),
        sa.Column("taker_yes", sa.Boolean(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("declined_by", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("code_hash", sa.Text(), nullable=False),
        sa.Column("handed_over_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cost_minor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_goods_transfer")),
    )
    op.create_index("ix_goods_transfer_state", "goods_transfer", ["state", "giver_id", "taker_id"])
    op.create_table(
        "goods_transfer_line",
        sa.Column("transfer_id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("stock_unit", sa.Text(), nullable=False),
        sa.Column("price_quantity", sa.BigInteger(), nullable=False),
        sa.Column("qty", sa.BigInteger(), nullable=False),
        sa.Column("pack_qty", sa.BigInteger(), nullable=False),
        sa.Column("pack_cost_minor", sa.BigInteger(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("given_qty", sa.BigInteger(), nullable=True),
        sa.Column("taken_qty", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("qty > 0", name=op.f("ck_goods_transfer_line_qty_positive")),
        sa.ForeignKeyConstraint(
            ["transfer_id"],
            ["goods_transfer.id"],
            name=op.f("fk_goods_transfer_line_transfer_id_goods_transfer"),
        ),
        sa.PrimaryKeyConstraint("transfer_id", "sku", name=op.f("pk_goods_transfer_line")),
    )


def downgrade() -> None:

    op.drop_table("goods_transfer_line")
    op.drop_table("goods_transfer")
    op.drop_table("transfer_sheet")
