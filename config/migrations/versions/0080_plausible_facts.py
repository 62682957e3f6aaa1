"""What of a store's day was taken, and the limits its facts are held against; the figures behind a parked fact.

Revision ID: 0080
Revises: 0079
"""

import sqlalchemy as sa
from alembic import op

from config.nodes import append_only

revision = "0080"
down_revision = "0079"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "plausible_day",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("measures", sa.JSON(), nullable=False),
        sa.Column("let_in", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", "business_day", name=op.f("pk_plausible_day")),
    )
    op.create_table(
        "plausible_limit",
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("days", sa.BigInteger(), nullable=False),
        sa.Column("good", sa.JSON(), nullable=False),
        sa.Column("most", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", name=op.f("pk_plausible_limit")),
    )
    op.add_column("inbox_message", sa.Column("facts", sa.JSON(), nullable=True))
    append_only.lay(op.get_bind(), "inbox_message", ("state", "reason", "facts", "batch"))


def downgrade() -> None:
    append_only.lift(op.get_bind(), "inbox_message")
    op.drop_column("inbox_message", "facts")
    append_only.lay(op.get_bind(), "inbox_message", ("state", "reason", "batch"))
    op.drop_table("plausible_limit")
    op.drop_table("plausible_day")
