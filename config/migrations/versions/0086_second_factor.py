"""An operator's second factor, where people are signed in, and the code that lets a device in.

Revision ID: 0086
Revises: 0085
"""

import sqlalchemy as sa
from alembic import op

revision = "0086"
down_revision = "0085"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("staff") as batch:
        batch.add_column(sa.Column("totp_salt", sa.Text()))
        batch.add_column(sa.Column("code_step", sa.BigInteger()))
    op.create_table(
        "recovery_code",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("node_id", "staff_id", "code_hash")),
        sa.PrimaryKeyConstraint("node_id", "staff_id", "code_hash", name=op.f("pk_recovery_code")),
    )
    words = ("session_id", "node_id", "staff_id", "stamp", "device", "place")
    op.create_table(
        "staff_session",
        *(sa.Column(name, sa.Text(), nullable=False) for name in words),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=False) for name in ("begun_at", "seen_at")),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_staff_session")),
    )
    op.create_index("ix_staff_session_staff", "staff_session", ["node_id", "staff_id"])
    op.create_table(
        "device_code",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("node_id", "code_hash")),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("node_id", name=op.f("pk_device_code")),
    )


def downgrade() -> None:
    for name in ("device_code", "staff_session", "recovery_code"):
        op.drop_table(name)
    with op.batch_alter_table("staff") as batch:
        batch.drop_column("code_step")
        batch.drop_column("totp_salt")
