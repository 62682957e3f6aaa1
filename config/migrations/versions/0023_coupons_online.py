"""Coupons and the prices for members in the online shop; what a campaign brought.

Revision ID: 0023
Revises: 0024c
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0024c"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "online_coupon",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("counter_uses", sa.BigInteger(), nullable=False),
        sa.Column("taken", sa.BigInteger(), nullable=False),
        sa.Column("edition", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "owner_id", "code", name=op.f("pk_online_coupon")),
    )
    op.create_table(
        "online_member",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("member", sa.Boolean(), nullable=False),
        sa.Column("edition", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "key", name=op.f("pk_online_member")),
    )
    with op.batch_alter_table("coupon_use", schema=None) as batch_op:
        batch_op.add_column(sa.Column("owner_id", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("given_back_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("customer", schema=None) as batch_op:
        batch_op.add_column(sa.Column("online_key", sa.Text(), server_default="", nullable=False))
        batch_op.create_index(op.f("ix_customer_online_key"), ["online_key"], unique=False)
    with op.batch_alter_table("pickup_order", schema=None) as batch_op:
        batch_op.add_column(sa.Column("coupons", sa.JSON(), server_default="[]", nullable=False))
        batch_op.add_column(sa.Column("member", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    with op.batch_alter_table("campaign_ask", schema=None) as batch_op:
        batch_op.add_column(sa.Column("effect", sa.JSON(), server_default="{}", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("campaign_ask", schema=None) as batch_op:
        batch_op.drop_column("effect")
    with op.batch_alter_table("pickup_order", schema=None) as batch_op:
        batch_op.drop_column("member")
        batch_op.drop_column("coupons")
    with op.batch_alter_table("customer", schema=None) as batch_op:
        batch_op.drop_index(op.f("ix_customer_online_key"))
        batch_op.drop_column("online_key")
    with op.batch_alter_table("coupon_use", schema=None) as batch_op:
        batch_op.drop_column("given_back_at")
        batch_op.drop_column("owner_id")
    op.drop_table("online_member")
    op.drop_table("online_coupon")
