"""A pick list keeps from which lots its goods are taken.

Revision ID: 0054
Revises: 0053
"""

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("pick_line", sa.Column("lots", sa.JSON(), server_default="[]", nullable=False))


def downgrade() -> None:
    op.drop_column("pick_line", "lots")
