"""How far a running job is, as numbers.

Revision ID: 0072
Revises: 0071
"""

import sqlalchemy as sa
from alembic import op

revision = "0072"
down_revision = "0071"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("job_run", sa.Column("so_far", sa.BigInteger(), nullable=True))
    op.add_column("job_run", sa.Column("whole", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("job_run", "whole")
    op.drop_column("job_run", "so_far")
