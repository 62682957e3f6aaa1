"""Limits of pay-outs, and wrong PINs counted per person who asks.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pin_tries",
        sa.Column("node_id", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("failed_tries", sa.BigInteger(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("node_id", "staff_id", "asked_by", name=op.f("pk_pin_tries")),
    )
    with op.batch_alter_table("role_limit", schema=None) as batch_op:
        batch_op.add_column(sa.Column("pay_out_minor", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("role_limit", schema=None) as batch_op:
        batch_op.drop_column("pay_out_minor")
    op.drop_table("pin_tries")
