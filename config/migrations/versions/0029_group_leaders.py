"""The link to a group leader's own page.

Revision ID: 0029
Revises: 0028
"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("group_offer", sa.Column("leader_token", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("group_offer", "leader_token")
