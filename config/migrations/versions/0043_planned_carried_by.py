"""Planned demand says which forecast run expects it already.

Revision ID: 0043
Revises: 0042
"""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("planned_demand", sa.Column("carried_by", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("planned_demand", "carried_by")
