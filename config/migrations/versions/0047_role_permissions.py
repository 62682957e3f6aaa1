"""What a shop allows its roles otherwise than the table says.

Revision ID: 0047
Revises: 0046
"""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

SETTLED = ("allowed", "denied")


def upgrade() -> None:
    for name in SETTLED:
        op.add_column("role_limit", sa.Column(name, sa.JSON(), nullable=False, server_default="[]"))


def downgrade() -> None:
    for name in SETTLED:
        op.drop_column("role_limit", name)
