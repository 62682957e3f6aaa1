"""The network keeps how a shop's computer is, as it says itself at each contact.

Revision ID: 0049
Revises: 0048
"""

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None
INSTANTS, NUMBERS = ("oldest_at", "catalogue_at", "checked_at"), ("free_bytes", "clock_off_s")


def upgrade() -> None:
    for name in INSTANTS:
        op.add_column("peer", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    for name in NUMBERS:
        op.add_column("peer", sa.Column(name, sa.BigInteger(), nullable=True))


def downgrade() -> None:
    for name in (*INSTANTS, *NUMBERS):
        op.drop_column("peer", name)
