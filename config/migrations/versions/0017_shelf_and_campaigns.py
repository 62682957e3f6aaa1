"""Goods ordered in, orders taken at the counter and what was paid for them there, and campaigns.

Revision ID: 0017
Revises: 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "counter_money",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("tender", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("rounding_minor", sa.BigInteger(), nullable=False),
        sa.Column("shift_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.CheckConstraint("amount_minor != 0", name=op.f("ck_counter_money_amount_not_zero")),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_counter_money")),
    )
    with op.batch_alter_table("counter_money", schema=None) as batch_op:
        batch_op.create_index("ix_counter_money_order", ["store_id", "order_id"], unique=False)
    op.create_table(
        "campaign",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("until_day", sa.Date(), nullable=False),
        sa.Column("answer_by", sa.Date(), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("fee_minor", sa.BigInteger(), nullable=False),
        sa.Column("hold_out_bp", sa.BigInteger(), nullable=False),
        sa.Column("held_out", sa.JSON(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("effect", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
    )
    op.create_table(
        "campaign_ask",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("until_day", sa.Date(), nullable=False),
        sa.Column("answer_by", sa.Date(), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("fee_minor", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("answered_why", sa.Text(), nullable=False),
        sa.Column("placed_on", sa.Date(), nullable=True),
        sa.Column("paid_minor", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("store_id", "campaign_id", name=op.f("pk_campaign_ask")),
    )
    with op.batch_alter_table("campaign_ask", schema=None) as batch_op:
        batch_op.create_index("ix_campaign_ask_state", ["store_id", "state"], unique=False)
    with op.batch_alter_table("shop_offer", schema=None) as batch_op:
        batch_op.add_column(sa.Column("order_days", sa.BigInteger(), nullable=True))
    with op.batch_alter_table("pickup_order", schema=None) as batch_op:
        batch_op.add_column(sa.Column("comes_on", sa.Date(), nullable=True))
    with op.batch_alter_table("pickup_line", schema=None) as batch_op:
        batch_op.add_column(sa.Column("awaited", sa.Boolean(), server_default=sa.text("false"), nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("pickup_line", schema=None) as batch_op:
        batch_op.drop_column("awaited")
    with op.batch_alter_table("pickup_order", schema=None) as batch_op:
        batch_op.drop_column("comes_on")
    with op.batch_alter_table("shop_offer", schema=None) as batch_op:
        batch_op.drop_column("order_days")
    with op.batch_alter_table("campaign_ask", schema=None) as batch_op:
        batch_op.drop_index("ix_campaign_ask_state")
    op.drop_table("campaign_ask")
    op.drop_table("campaign")
    with op.batch_alter_table("counter_money", schema=None) as batch_op:
        batch_op.drop_index("ix_counter_money_order")
    op.drop_table("counter_money")
