"""Config is what must be true before the store opens.

Settings, database doors, money, time, ids, states, the journal and the outbox: the ground every other
package stands on. Nothing in here knows a product, a page or a printer.

Reading order: errors, ids, clock, money, states, database, journal, outbox, publication, settings.
"""
