"""Agents of producers with the way of their money, and thanks to who brought a new customer.

Revision ID: 0025
Revises: 0024d
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024d"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "agent",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("bic", sa.Text(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "name", name=op.f("pk_agent")),
    )
    op.create_table(
        "outreach_thanks",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("friend_id", sa.Text(), nullable=False),
        sa.Column("outreach_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("sale_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("store_id", "friend_id", name=op.f("pk_outreach_thanks")),
    )
    op.add_column("produce_move", sa.Column("agent_name", sa.Text(), nullable=False, server_default=""))
    op.add_column("payout", sa.Column("agent", sa.Text(), nullable=False, server_default=""))
    op.execute(
        "update produce_move set agent_name = (select producer.agent_name from producer"
        " where producer.store_id = produce_move.store_id and producer.id = produce_move.producer_id)"
        " where agent_minor <> 0"
    )


def downgrade() -> None:
    with op.batch_alter_table("payout") as payout:
        payout.drop_column("agent")
    with op.batch_alter_table("produce_move") as move:
        move.drop_column("agent_name")
    op.drop_table("outreach_thanks")
    op.drop_table("agent")
