"""A pick list keeps what it will write off, as it was when the goods were picked.

Revision ID: 0052
Revises: 0051
"""

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("pick_line", sa.Column("lost_qty", sa.BigInteger(), server_default="0", nullable=False))


def downgrade() -> None:
    op.drop_column("pick_line", "lost_qty")
