"""Refunds that are asked for again until they are back, and the answer a wish to bring goods back waits for.

Revision ID: 0028
Revises: 0027
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_WAITING = """
    INSERT INTO refund (id, escrow_id, store_id, amount_minor, currency, state, made_at, tries, try_at, answer, reason,
                        reference)
    SELECT entry.id, entry.escrow_id, escrow.store_id, entry.amount_minor, escrow.currency, 'waiting', entry.at, 0,
           entry.at, '', '', ''
    FROM escrow_entry AS entry JOIN escrow ON escrow.id = entry.escrow_id
    WHERE entry.to_account = 'due'
      AND NOT EXISTS (SELECT 1 FROM escrow_entry AS done WHERE done.answers_id = entry.id)
"""
_ASKED = """
    UPDATE pickup_order SET return_asked_step = step
    WHERE state = 'collected' AND return_asked_at IS NOT NULL AND moved_at < return_asked_at
"""


def upgrade() -> None:
    op.create_table(
        "refund",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("escrow_id", sa.Text(), nullable=False),
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_refund"),
    )
    op.create_index("ix_refund_waiting", "refund", ["state", "try_at"])
    op.create_index("ix_refund_escrow", "refund", ["escrow_id"])
    op.execute(_WAITING)
    op.add_column("pickup_order", sa.Column("return_asked_step", sa.BigInteger(), nullable=True))
    op.execute(_ASKED)


def downgrade() -> None:
    op.drop_column("pickup_order", "return_asked_step")
    op.drop_index("ix_refund_escrow", table_name="refund")
    op.drop_index("ix_refund_waiting", table_name="refund")
    op.drop_table("refund")
