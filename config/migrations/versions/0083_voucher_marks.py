"""Vouchers are known by a mark of their code, and what was printed of one shows the code's end alone.

Facts that were told, and payments that are sealed, keep the codes they have. A print that still waits keeps the code it
is to show.

Revision ID: 0083
Revises: 0082
"""

import hashlib

import sqlalchemy as sa
from alembic import op

from config.nodes import append_only

revision = "0083"
down_revision = "0082"
branch_labels = None
depends_on = None

_BOOKS = ("voucher", "voucher_movement")
_JOB = sa.table(
    "print_job", *map(sa.column, ("store_id", "id", "kind", "state", "paper")), sa.column("document", sa.JSON())
)


def upgrade() -> None:
    marks: dict[tuple[str, str], str] = {}
    _rename("code", "mark", marks)
    _mask_prints()


def downgrade() -> None:
    _rename("mark", "code", None)


def _rename(before: str, after: str, marks: dict[tuple[str, str], str] | None) -> None:
    connection = op.get_bind()
    append_only.lift(connection, "voucher_movement")
    op.drop_index(f"ix_voucher_movement_{before}", "voucher_movement")
    for name in _BOOKS:
        op.execute(f"ALTER TABLE {name} RENAME COLUMN {before} TO {after}")
        if marks is not None:
            _mark(connection, name, marks)
    op.create_index(f"ix_voucher_movement_{after}", "voucher_movement", ["store_id", after])
    append_only.lay(connection, "voucher_movement")


def _mark(connection: sa.Connection, name: str, marks: dict[tuple[str, str], str]) -> None:
    book = sa.table(name, sa.column("store_id"), sa.column("mark"))
    for store_id, code in connection.execute(sa.select(book.c.store_id, book.c.mark).distinct()).all():
        if (store_id, code) not in marks:
            salt = f"voucher:{store_id}".encode()
            hashed = hashlib.scrypt(code.encode(), salt=salt, n=2**14, r=8, p=1, dklen=16)
            marks[store_id, code] = f"{hashed.hex()}.{code[-4:]}"
        mine = (book.c.store_id == store_id, book.c.mark == code)
        connection.execute(sa.update(book).where(*mine).values(mark=marks[store_id, code]))


def _mask_prints() -> None:
    connection, job = op.get_bind(), _JOB.c
    over = job.state.in_(("printed", "dropped", "expired"))
    query = sa.select(job.store_id, job.id, job.document).where(over, job.kind.in_(("receipt", "voucher")))
    for store_id, job_id, document in connection.execute(query).all():
        seen = dict(document)
        rows = [*seen.get("vouchers", ()), *(row for row in seen.get("payments", ()) if row["tender"] == "voucher")]
        if not rows and "spoken" not in seen:
            continue
        if seen.get("vouchers"):
            seen["vouchers"] = [row | {"code": f"... {row['code'][-4:]}", "masked": True} for row in seen["vouchers"]]
        if seen.get("payments"):
            seen["payments"] = [
                row | ({"reference": f"... {row['reference'][-4:]}"} if row["tender"] == "voucher" else {})
                for row in seen["payments"]
            ]
        if "spoken" in seen:
            hidden = f"... {seen['code'][-4:]}"
            seen |= {"code": hidden, "spoken": hidden, "masked": True}
        which = sa.update(_JOB).where(job.store_id == store_id, job.id == job_id)
        connection.execute(which.values(document=seen, paper=None))
