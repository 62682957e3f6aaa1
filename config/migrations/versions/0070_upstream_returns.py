"""Goods of a recall that go back to whom they were bought of, and the claims that name them.

Revision ID: 0070
Revises: 0069
"""

import sqlalchemy as sa
from alembic import op

revision = "0070"
down_revision = "0069"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "upstream_return",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("return_no", sa.BigInteger(), nullable=False),
        sa.Column("recall_id", sa.Text(), nullable=False),
        sa.Column("supplier_id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["sku"], ["product.sku"], name=op.f("fk_upstream_return_sku_product")),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_upstream_return")),
    )
    op.create_index("ix_upstream_return_recall", "upstream_return", ["recall_id"])
    op.create_table(
        "upstream_return_line",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("return_id", sa.Text(), nullable=False),
        sa.Column("lot_id", sa.Text(), nullable=False),
        sa.Column("purchase_id", sa.Text(), nullable=False),
        sa.Column("batch", sa.Text(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("qty", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("qty > 0", name=op.f("ck_upstream_return_line_qty_positive")),
        sa.ForeignKeyConstraint(
            ["store_id", "return_id"],
            ["upstream_return.store_id", "upstream_return.id"],
            name=op.f("fk_upstream_return_line_store_id_upstream_return"),
        ),
        sa.PrimaryKeyConstraint("store_id", "return_id", "lot_id", name=op.f("pk_upstream_return_line")),
    )
    op.add_column("upstream_claim", sa.Column("returns", sa.JSON(), nullable=False, server_default="[]"))


def downgrade() -> None:
    op.drop_column("upstream_claim", "returns")
    op.drop_table("upstream_return_line")
    op.drop_table("upstream_return")
