"""School holidays and weather of a shop or a region, and what they make of a product's days.

Revision ID: 0066
Revises: 0065
"""

import sqlalchemy as sa
from alembic import op

revision = "0066"
down_revision = "0065"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "school_holiday",
        sa.Column("scope_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("scope_id", "day", name=op.f("pk_school_holiday")),
    )
    op.create_table(
        "weather_day",
        sa.Column("scope_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("temperature_tenths", sa.BigInteger(), nullable=True),
        sa.Column("rain_tenths", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("scope_id", "day", name=op.f("pk_weather_day")),
    )
    op.add_column("forecast_series", sa.Column("moved", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("forecast_series", "moved")
    op.drop_table("weather_day")
    op.drop_table("school_holiday")
