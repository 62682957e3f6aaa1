"""The customer's key to an order: 128 bits nobody can guess, made again whenever its address is needed.

The token is a keyed hash of the command's id, so that a double click, whichever copy of the cookie it carries, leads
to the same order, and a message can name the order's page although the token itself is kept nowhere.
"""

import base64
import hmac

from config.settings import Settings


def token_for(secret: str, store_id: str, command: str) -> str:
    """Return the token of the order (or membership) that a command placed."""
    digest = hmac.digest(secret.encode(), f"order token {store_id} {command}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest[:16]).decode().rstrip("=")


def address_of(settings: Settings, slug: str, store_id: str, order_id: str) -> str:
    """Return the address of an order's page; '' where the node has no public one."""
    if not settings.public_url:
        return ""
    return f"{settings.public_url.rstrip('/')}/shop/{slug}/order/{token_for(settings.secret_key, store_id, order_id)}"
