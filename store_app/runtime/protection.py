"""How sensitive what a node keeps is: every column of a level above the trade's own figures, as docs/security.md lists.

Rules
-----
1. A column belongs to a level by its name wherever it stands, or by table and name. What no level names is the trade's
   own: confidential to the store and its network, and no person's.
2. A body that may hold what stands in other columns (a fact, a printed receipt) is as sensitive as they are.
"""

from config.database import Base
from store_app.runtime import tables

SECRET_TABLES = frozenset(
    {"store_key", "pin_tries", "badge_reader", "invitation", "staff_session", "recovery_code", "device_code"}
)
SECRET_COLUMNS = frozenset({
    "pin_hash", "badge_hash", "totp_salt", "secret_salt", "peer_nonce", "nonce", "agent_key_sha256", "key_sha256",
    "code_hash", "token_hash", "leader_token",
})  # fmt: skip
PERSONAL, BANK, STAFF, SECRET = "personal", "bank", "staff", "secret"
_ANYWHERE = {
    SECRET: SECRET_COLUMNS,
    BANK: frozenset({"account", "bank_account", "bic"}),
    PERSONAL: frozenset(
        {
            "customer_id",
            "customer_name",
            "customer_phone",
            "member_id",
            "online_key",
            "proved_key",
            "receiver",
            "street",
        }
    ),
    STAFF: frozenset({"actor_id", "actor_name", "cashier_id", "cashier_name", "driver", "staff_id"}),
}
_OF_TABLES: dict[str, dict[str, tuple[str, ...]]] = {
    PERSONAL: {
        "bank_entry": ("payer", "words"),
        "basket": ("content",),
        "claim_photo": ("data",),
        "claim_photo_piece": ("data",),
        "customer": ("name", "phone", "search_text"),
        "customer_session": ("number",),
        "group_member": ("name", "phone", "email"),
        "group_offer": ("leader", "leader_token"),
        "home_delivery": ("note", "place", "lat_e6", "lon_e6"),
        "inbox_alarm": ("body",),
        "incoming_file": ("name", "sender", "said", "refusal"),
        "inbox_message": ("body",),
        "online_member": ("key",),
        "order_replay": ("body",),
        "outbox_message": ("body",),
        "outgoing_message": ("phone", "email", "body", "fault"),
        "phone_code": ("number", "browser", "range"),
        "pickup_order": ("email", "member"),
        "points_account": ("key",),
        "points_link": ("key",),
        "points_member": ("key",),
        "points_waiting": ("body",),
        "print_job": ("document", "paper"),
        "paper_note": ("photo", "said", "entered"),
        "producer": ("name", "phone", "place"),
        "review": ("words", "by_name", "answer"),
        "sale": ("note",),
        "saved_view": ("name", "query"),
        "signed_batch": ("text",),
        "store": ("summary_email",),
        "supplier_document": ("said",),
        "route_stop": ("note",),
    },
    BANK: {"money_proposal": ("asked",)},
    STAFF: {
        "journal_entry": ("body",),
        "approval": ("granted_by", "granted_by_name", "asked_by"),
        "basket": ("kept_by", "kept_by_name"),
        "departure": ("asked_by",),
        "pin_tries": ("asked_by",),
        "shift": ("opened_by", "opened_by_name", "held_by", "held_by_name"),
        "staff": ("name",),
    },
}


def levels() -> dict[str, dict[str, list[str]]]:
    """Return level -> table -> its columns of it, ["*"] for all; of two levels the more sensitive counts."""
    tables.known()
    found: dict[str, dict[str, list[str]]] = {level: {} for level in (SECRET, BANK, PERSONAL, STAFF)}
    for table in Base.metadata.sorted_tables:
        if table.name in SECRET_TABLES:
            found[SECRET][table.name] = ["*"]
            continue
        for column in table.columns:
            if level := _level(table.name, column.name):
                found[level].setdefault(table.name, []).append(column.name)
    return {level: dict(sorted(of.items())) for level, of in found.items()}


def _level(table: str, column: str) -> str | None:
    for level, names in _ANYWHERE.items():
        if column in names or column in _OF_TABLES.get(level, {}).get(table, ()):
            return level
    return None
