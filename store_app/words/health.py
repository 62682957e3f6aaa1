"""How a node is, in words: the doctor's sentences by their codes, as a store's travel to the network.

What no store reports of itself has no translation: only commands say it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from config.errors import DomainError
from config.words import N_
from store_app.words.refusals import sentence_of
from store_app.words.words import joined

SENTENCES = {
    "check-failed": N_("This check failed: %(why)s."),
    "database-version": N_("The database is at version %(is_at)s, not %(newest)s. Run `cornerstore migrate`."),
    "database-rights": "The node's PostgreSQL role has more rights than it needs. "
    "Create a role that owns this database alone: CREATE ROLE cornerstore LOGIN CREATEDB.",
    "database-postgresql": "PostgreSQL, tables at version %(is_at)s.",
    "database-damaged": N_(
        "The file is damaged: %(fault)s. Stop selling on this computer, restore the last backup to another disk, and "
        "keep the damaged file."
    ),
    "database": N_("OK, %(megabytes)s MB, tables at version %(is_at)s."),
    "database-checked": N_("OK when last checked, %(hours)s h ago, %(megabytes)s MB, tables at version %(is_at)s."),
    "database-unchecked": N_("Not checked yet, %(megabytes)s MB, tables at version %(is_at)s."),
    "protection": N_("The database refuses to change or delete what is on record."),
    "protection-off": N_(
        "Rows of %(tables)s can be changed: their protection was removed from the database. Run `cornerstore verify` "
        "to check the books, then `cornerstore migrate`."
    ),
    "disk": N_("%(free)s GB free."),
    "disk-full": N_("Free some space: with a full disk the store cannot sell."),
    "place": N_("The state folder is on a disk of this computer."),
    "place-remote": N_("The state folder is on a network drive (%(kind)s). Move it to a disk on this computer."),
    "clock": N_("This computer's clock looks right."),
    "clock-behind": N_(
        "This computer's clock is at least %(days)s days behind. Set it, or have it set from the internet; until then, "
        "sales are dated %(now)s UTC or later."
    ),
    "backups": N_("The last tested backup is %(hours)s h old."),
    "backups-here": N_("It is on the same disk as the books: set backup_folder to another disk."),
    "backups-none": N_("There is no backup yet. Run `cornerstore backup`."),
    "backups-unrehearsed": N_("No restore has been rehearsed for 90 days. Rehearse one under Store, Backup."),
    "jobs": N_("No nightly jobs need attention."),
    "jobs-running": N_("%(job)s for %(day)s is running: %(outcome)s."),
    "jobs-failed": N_("%(count)s nightly jobs failed three times."),
    "job-failed": N_("%(job)s for %(day)s: %(outcome)s."),
    "job-cut-off": N_("%(job)s for %(day)s was interrupted: %(outcome)s."),
    "forecasts": N_("%(count)s stores have forecasts, the latest through %(day)s with version %(version)s."),
    "forecasts-none": N_("No store here has a forecast yet."),
    "forecasts-off": N_(
        "Last week's sales differed from the forecast in %(off)s stores; %(fallen)s use the four-week average for "
        "some products. Check their orders closely until the forecast is accurate again."
    ),
    "worker": N_("The worker is running."),
    "worker-several": "One of several workers leads; each host's service shows whether its worker runs.",
    "worker-none": N_("No worker is running: nothing is printed or sent. Start `cornerstore serve` or `work`."),
    "settings": N_("Only this node's user can read the settings."),
    "settings-open": N_("Other users of this computer can read %(file)s. Run chmod 600 on it."),
    "settings-practice": N_("This is a practice node: everyone knows its PINs."),
    "settings-cookies": "The public address uses TLS, but cookies may be sent without it: set secure_cookies = true.",
    "files": N_("Only this node's user can read the books and their backups."),
    "files-open": N_(
        "Other users of this computer can read %(count)s of its files, such as %(file)s. Run chmod 600 on each."
    ),
    "outgoing": N_("This node connects to: %(places)s."),
    "outgoing-none": N_("This node connects to nothing."),
    "plugins": N_("Every plug-in that is set up works."),
    "plugin-fault": N_("%(plugin)s does not work. %(why)s"),
    "age": N_("The software was last updated %(days)s days ago."),
    "age-old": N_("Install the newest version: it fixes faults in its libraries."),
    "sign-in": N_("No one is guessing PINs."),
    "sign-in-guessed": N_(
        "Someone is guessing PINs: %(count)s wrong ones in 15 minutes, on devices no one has signed in with. "
        "Check who can reach this node's sign-in page."
    ),
    "queue": N_("%(waiting)s messages are waiting to be sent; the network refused %(refused)s."),
    "queue-hour": N_("Nothing has been sent for over an hour. Check the internet connection; you can keep selling."),
    "queue-day": N_("Nothing has been sent for over a day. Restart the router; if that fails, call the operator."),
    "queue-week": N_(
        "Nothing has been sent for over a week; orders and forecasts use old figures. Use another connection, such as "
        "a phone, until everything is sent."
    ),
    "queue-fault": N_("The last contact failed: %(why)s"),
    "editions": N_("Everything the network published was accepted."),
    "edition-refused": N_("Not accepted from the network: %(edition)s. %(why)s"),
    "editions-old": N_("The last good version stays in use. Call the network's operator."),
    "put-back": N_("Nothing needed to be restored from the network recently."),
    "put-back-waits": N_(
        "This database was restored from a backup. Everything sent to the network since then will come back at the "
        "next sync."
    ),
    "put-back-came": N_(
        "On %(day)s the network returned %(count)s messages, %(sales)s of them sales, after a restore."
    ),
    "put-back-odd": N_("%(count)s of them need attention; see the store's settings page."),
    "line": "The network answers, knows this store's key, and the clocks agree.",
    "line-none": "The network cannot be reached: %(why)s. Selling goes on.",
    "line-paused": "%(why)s",
    "line-key": "The network no longer knows this store's key. Ask the operator for a new code.",
    "line-refused": "The network answered %(status)s. Selling goes on.",
    "line-other": "Something other than the network answered. Selling goes on.",
    "line-clock": "This computer's clock is off by %(seconds)s s. Have it set from the internet.",
    "parked": "%(parked)s messages from stores are on hold; %(stuck)s of ours were refused.",
    "roll-up": "Totals of received sales are %(seconds)s s behind.",
}


def health(said: Iterable[tuple[str, Mapping[str, Any]]]) -> str:
    """Say what was found about one thing, to a page's reader, else in English. said: codes with their facts."""
    sentences = []
    for code, given in said:
        if sentence := SENTENCES.get(code):  # a newer program may say others
            facts = {name: fact if isinstance(fact, float) else str(fact) for name, fact in given.items()}
            known = {name: fact for name, fact in facts.items() if f"%({name})s" in sentence}
            sentences.append(sentence_of(DomainError(code, sentence, **known)))
    return joined(sentences)
