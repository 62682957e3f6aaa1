"""Why goods go back, what left of a lot by name, and badges.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("goods_note", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reason", sa.Text(), server_default="", nullable=False))
    op.execute("UPDATE goods_note SET reason = 'other' WHERE way = 'back'")
    with op.batch_alter_table("batch", schema=None) as batch_op:
        batch_op.add_column(sa.Column("gone_qty", sa.BigInteger(), server_default="0", nullable=False))
        batch_op.create_check_constraint(op.f("ck_batch_gone_fits"), "gone_qty between 0 and received_qty")
    with op.batch_alter_table("staff", schema=None) as batch_op:
        batch_op.add_column(sa.Column("badge_hash", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("badge_given_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_unique_constraint(op.f("uq_staff_badge_hash"), ["badge_hash"])
    op.create_table(
        "badge_rule",
        sa.Column("node_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("asks_pin", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("node_id", "role", name=op.f("pk_badge_rule")),
    )
    op.create_table(
        "badge_reader",
        sa.Column("node_id", sa.Text(), nullable=False),
        sa.Column("failed_tries", sa.BigInteger(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("node_id", name=op.f("pk_badge_reader")),
    )


def downgrade() -> None:
    op.drop_table("badge_reader")
    op.drop_table("badge_rule")
    with op.batch_alter_table("staff", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("uq_staff_badge_hash"), type_="unique")
        batch_op.drop_column("badge_given_at")
        batch_op.drop_column("badge_hash")
    with op.batch_alter_table("batch", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_batch_gone_fits"), type_="check")
        batch_op.drop_column("gone_qty")
    with op.batch_alter_table("goods_note", schema=None) as batch_op:
        batch_op.drop_column("reason")
