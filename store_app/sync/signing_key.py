"""This store's own signing key: made when it joins or at the first contact, changed, recognized after a loss."""

from pathlib import Path

from sqlalchemy.orm import Session

from config.errors import Invalid
from config.nodes import signing, signing_keys
from config.nodes.journal import Actor, Context
from config.nodes.signing import Signer
from config.nodes.signing_keys import SigningKey
from store_app.runtime.doors import Doors
from store_app.sync import restored


def present(doors: Doors) -> Signer:
    """Return this node's key; the first time, and where its file is lost, a new one is made."""
    node_id, path = doors.settings.node_id, doors.settings.signing_key
    signer = signing.load(path) or Signer.make().keep(path)
    with doors.read() as session:
        is_known = session.get(SigningKey, (node_id, signer.public)) is not None
    if not is_known:
        with doors.write() as session:
            signing_keys.own(Context(session, Actor.system("sync", node_id), doors.now()), node_id, signer)
    return signer


def change(doors: Doors, *, actor: Actor) -> Signer:
    """Put a new key in the place of the present one, which vouches for it; the next contact tells the network."""
    node_id, path = doors.settings.node_id, doors.settings.signing_key
    with doors.write() as session:
        before = _readable(path)
        signer = signing_keys.change(Context(session, actor, doors.now()), node_id, before)
    return signer.keep(path, replace=True)


def trust(session: Session, doors: Doors, name: str, *, actor: Actor) -> SigningKey:
    """Recognise a key as this store's own of earlier; what it signed is fetched at the next contact."""
    key = signing_keys.named(session, doors.settings.node_id, name)
    signing_keys.allow(Context(session, actor, doors.now()), key)
    restored.new_epoch(session, key.node_id, "an earlier signing key was recognised", doors)
    return key


# --- inside ---


def _readable(path: Path) -> Signer | None:
    """Return the key in a file; a damaged one vouches for nothing."""
    try:
        return signing.load(path)
    except Invalid:
        return None
