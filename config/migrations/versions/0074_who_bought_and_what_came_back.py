"""Sales are found by their customer, and lines by the sale of which they bring something back.

Revision ID: 0074
Revises: 0073
"""

import sqlalchemy as sa
from alembic import op

revision = "0074"
down_revision = "0073"
branch_labels = None
depends_on = None

FOUND_BY = (
    ("ix_sale_customer", "sale", "customer_id"),
    ("ix_sale_line_returns", "sale_line", "returns_sale_id"),
)


def upgrade() -> None:
    for name, table, column in FOUND_BY:
        some = sa.text(f"{column} IS NOT NULL")
        op.create_index(name, table, ["store_id", column], sqlite_where=some, postgresql_where=some)


def downgrade() -> None:
    for name, table, _column in FOUND_BY:
        op.drop_index(name, table_name=table)
