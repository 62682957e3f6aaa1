"""What the network's warehouses buy upstream.

Revision ID: 0016b
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0016b"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "purchase",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("purchase_no", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("expected_day", sa.Date(), nullable=False),
        sa.Column("cost_minor", sa.BigInteger(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_purchase")),
    )
    with op.batch_alter_table("purchase", schema=None) as batch_op:
        batch_op.create_index("ix_purchase_state", ["state", "expected_day"], unique=False)
    op.create_table(
        "purchase_line",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("purchase_id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("pack_qty", sa.BigInteger(), nullable=False),
        sa.Column("pack_cost_minor", sa.BigInteger(), nullable=False),
        sa.Column("packs", sa.BigInteger(), nullable=False),
        sa.Column("received_qty", sa.BigInteger(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("why", sa.JSON(), nullable=False),
        sa.CheckConstraint("packs >= 0", name=op.f("ck_purchase_line_packs_not_negative")),
        sa.ForeignKeyConstraint(
            ["store_id", "purchase_id"],
            ["purchase.store_id", "purchase.id"],
            name=op.f("fk_purchase_line_store_id_purchase"),
        ),
        sa.PrimaryKeyConstraint("store_id", "purchase_id", "sku", name=op.f("pk_purchase_line")),
    )


def downgrade() -> None:
    op.drop_table("purchase_line")
    with op.batch_alter_table("purchase", schema=None) as batch_op:
        batch_op.drop_index("ix_purchase_state")
    op.drop_table("purchase")
