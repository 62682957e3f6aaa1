"""The customer's key to an order: 128 bits nobody can guess, made again whenever its address is needed.

Rules
-----
1. An order's id (a membership's too) stands on bags and in the staff's addresses, so it opens nothing: the token is a
   keyed hash of it, and no page makes a token for an id that it was given.
2. The id is a keyed hash of what is made, the command's id and the visitor's own secret: a double click leads to the
   same order, whichever copy of the cookie it carries; nobody else's command does, and no other kind of command.
3. A message can name the order's page although the token itself is kept nowhere.
"""

import base64
import hmac

from config import ids, private
from config.settings import Settings


def id_for(secret: str, kind: str, store_id: str, command: str, visitor: str) -> str:
    """Return the id of the order or membership (kind) that a visitor's command makes at a store (rule 2)."""
    seed = f"id of {kind} {store_id} {command} {visitor}"
    return ids.id_of(hmac.digest(secret.encode(), seed.encode(), "sha256"))


def token_for(secret: str, store_id: str, id: str) -> str:
    """Return the token of an order or membership (rule 1)."""
    digest = hmac.digest(secret.encode(), f"order token {store_id} {id}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest[:16]).decode().rstrip("=")


def address_of(settings: Settings, slug: str, store_id: str, id: str, kind: str = "order") -> str:
    """Return the address of the page of an order or membership (kind); '' where the node has no public one."""
    if not settings.public_url:
        return ""
    token = token_for(private.node_secret(settings), store_id, id)
    return f"{settings.public_url.rstrip('/')}/shop/{slug}/{kind}/{token}"
