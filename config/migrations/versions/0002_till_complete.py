"""What the complete till keeps.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op


revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("listing", schema=None) as batch_op:
        batch_op.add_column(sa.Column("cost_minor", sa.BigInteger(), nullable=True))

    with op.batch_alter_table("product", schema=None) as batch_op:
        batch_op.add_column(sa.Column("kind", sa.Text(), server_default="goods", nullable=False))
        batch_op.add_column(sa.Column("deposit_sku", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("price_typed", sa.Boolean(), server_default=sa.text("(false)"), nullable=False))

    with op.batch_alter_table("sale", schema=None) as batch_op:
        batch_op.add_column(sa.Column("age_how", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("customer_id", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("note", sa.Text(), server_default="", nullable=False))

    with op.batch_alter_table("sale_line", schema=None) as batch_op:
        batch_op.add_column(sa.Column("kind", sa.Text(), server_default="goods", nullable=False))
        batch_op.add_column(sa.Column("list_price_minor", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("price_type", sa.Text(), server_default="list", nullable=False))
        batch_op.add_column(sa.Column("manual_discount_minor", sa.BigInteger(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("reason", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("note", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("batch", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("expires_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("deposit_of", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("cost_minor", sa.BigInteger(), nullable=True))

    with op.batch_alter_table("shift", schema=None) as batch_op:
        batch_op.add_column(sa.Column("totals", sa.JSON(), server_default="{}", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("shift", schema=None) as batch_op:
        batch_op.drop_column("totals")

    with op.batch_alter_table("sale_line", schema=None) as batch_op:
        batch_op.drop_column("cost_minor")
        batch_op.drop_column("deposit_of")
        batch_op.drop_column("expires_on")
        batch_op.drop_column("batch")
        batch_op.drop_column("note")
        batch_op.drop_column("reason")
        batch_op.drop_column("manual_discount_minor")
        batch_op.drop_column("price_type")
        batch_op.drop_column("list_price_minor")
        batch_op.drop_column("kind")

    with op.batch_alter_table("sale", schema=None) as batch_op:
        batch_op.drop_column("note")
        batch_op.drop_column("customer_id")
        batch_op.drop_column("age_how")

    with op.batch_alter_table("product", schema=None) as batch_op:
        batch_op.drop_column("price_typed")
        batch_op.drop_column("deposit_sku")
        batch_op.drop_column("kind")

    with op.batch_alter_table("listing", schema=None) as batch_op:
        batch_op.drop_column("cost_minor")
