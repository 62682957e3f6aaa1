"""The lots a delivery line is made of, where it is more than one.

Revision ID: 0033
Revises: 0032
"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("delivery_line", sa.Column("lots", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("delivery_line", "lots")
