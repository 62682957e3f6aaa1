"""How a product's last days spread, beside its forecast.

Revision ID: 0062
Revises: 0061
"""

import sqlalchemy as sa
from alembic import op

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("forecast_series", sa.Column("lately_spread", sa.Double()))


def downgrade() -> None:
    op.drop_column("forecast_series", "lately_spread")
