"""Customers' sessions and codes by browser, and phone numbers in E.164.

Revision ID: 0078
Revises: 0077
"""

import sqlalchemy as sa
from alembic import op

from config.phones import e164

revision = "0078"
down_revision = "0077"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "customer_session",
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("mark", "purpose", "number", name="pk_customer_session"),
    )
    op.create_index("ix_customer_session_number", "customer_session", ["number"])
    op.execute("DELETE FROM phone_code")  # good for ten minutes
    op.execute("UPDATE customer_message SET state = 'given_up', ended_at = made_at, facts = '{}' WHERE kind = 'code'")
    op.drop_column("phone_code", "code_hash")
    for name, kind in (("browser", sa.Text()), ("range", sa.Text()), ("digits", sa.BigInteger())):
        empty = "0" if name == "digits" else ""
        op.add_column("phone_code", sa.Column(name, kind, nullable=False, server_default=empty))
    with op.batch_alter_table("phone_code") as table:
        for name in ("browser", "range", "digits"):
            table.alter_column(name, server_default=None)
    op.create_index("ix_phone_code_browser", "phone_code", ["browser", "sent_at"])
    _rewrite_numbers()


def downgrade() -> None:
    op.drop_index("ix_phone_code_browser", "phone_code")
    op.execute("DELETE FROM phone_code")
    for name in ("browser", "range", "digits"):
        op.drop_column("phone_code", name)
    op.add_column("phone_code", sa.Column("code_hash", sa.Text(), nullable=False, server_default=""))
    with op.batch_alter_table("phone_code") as table:
        table.alter_column("code_hash", server_default=None)
    op.drop_table("customer_session")


def _rewrite_numbers() -> None:
    books = op.get_bind()
    store = sa.table("store", sa.column("id"), sa.column("tz"))
    group = sa.table("group_offer", sa.column("id"), sa.column("store_id"))
    zones = dict(books.execute(sa.select(store.c.id, store.c.tz)).all())
    for name, number in (("pickup_order", "customer_phone"), ("customer", "phone"), ("group_member", "phone")):
        table = sa.table(name, sa.column("id"), sa.column("store_id"), sa.column("group_id"), sa.column(number))
        kept = table.c[number]
        of_store = table.c.store_id
        query = sa.select(table.c.id, of_store, kept).where(kept != "")
        if name == "group_member":
            of_store = group.c.store_id
            query = sa.select(table.c.id, of_store, kept).where(kept != "", group.c.id == table.c.group_id)
        for row_id, store_id, phone in books.execute(query).all():
            mine = [table.c.id == row_id] if name == "group_member" else [table.c.id == row_id, of_store == store_id]
            if (whole := e164(phone, zones.get(store_id, ""))) != phone:
                books.execute(sa.update(table).where(*mine).values({number: whole}))
