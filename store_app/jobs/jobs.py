"""The jobs of a node: one table of name, function, role and trigger. A person can run each: `cornerstore job NAME`.

Rules
-----
1. A job looks for its own work; a lost wake-up costs seconds, never work.
2. A job opens short transactions; what computes, prints or waits for the network does so between them.
3. A forecast is computed in a child of its own, one at a time, one thread, with a time limit, and steps back for
   whatever else the machine has to do: neither paper nor a sale waits for arithmetic.
4. Nightly jobs run when the business day ends, in the table's order, and are told that day; those `each_day` make up
   every missed day, oldest first.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from apscheduler.triggers.cron import CronTrigger

from config.clock import business_day
from config.errors import DomainError, NotFound
from config.nodes.journal import Context
from config.settings import Settings
from pos.store.store import Region, Store
from store_app.jobs import forecast, keeping, money, orders
from store_app.jobs.desk import Desk
from store_app.mail import envelopes
from store_app.node.printers import printers_in_force
from store_app.runtime.doors import Doors, alone

CATCH_UP_DAYS = 31
STORE, NETWORK = ("store",), ("network",)
BOTH = STORE + NETWORK


@dataclass(frozen=True)
class Job:
    """One row of the table. roles: the kinds of nodes that run it. every_s: its interval; None: each night.

    after_ring_s: how long after the bell it runs (paper at once, the rest when that is through); None: at no ring.
    each_day: each missed day is made up; of any other job the last day is enough.
    """

    name: str
    run: Callable[[Desk, dt.date], str]
    roles: tuple[str, ...] = BOTH
    every_s: float | None = None
    after_ring_s: float | None = None
    each_day: bool = False


# --- continuous, store ---


def print_paper(desk: Desk, _day: dt.date) -> str:
    """Print what waits in the queue."""
    from pos.printing import models, print_worker, queue

    settings = desk.doors.settings
    if not desk.prints:
        models.load_escpos()  # takes its time: not the first customer's
        with desk.doors.write() as session:
            queue.recover(session, settings.node_id, at=desk.doors.now())
        desk.prints = True
    with desk.doors.read() as session:
        outlets = printers_in_force(session, settings)
    if not outlets:
        return "no printer"
    done = print_worker.print_due(desk.doors.database, settings.node_id, outlets, now=desk.doors.now)
    return f"{done.printed} printed, {done.failed} failed, {done.unconfirmed} unconfirmed"


def ask_payments(desk: Desk, _day: dt.date) -> str:
    """Ask terminals and wallets about what they have not answered, and give back what nobody wants."""
    from store_app.payments.providers import asker

    return f"{asker(desk.doors).ask_due(actor=desk.actor('payments'))} asked about"


def send(desk: Desk, _day: dt.date) -> str:
    """Send what waits, take what came; after a fault wait longer each time. Cut off or alone, keep the sidecar."""
    from store_app.node import leaving
    from store_app.sync import restored, sender

    doors = desk.doors
    restored.restart_if_restored(doors)
    leaving.finish(doors, None)
    if not doors.settings.network_url:
        return "on its own"
    if desk.line is None:
        desk.line, desk.client = sender.Line(), sender.client_for(doors.settings)
    if not desk.line.may_try(doors.now()) and not sender.is_requested(doors):
        return "waiting"
    assert desk.client is not None
    done = sender.contact(doors.database, doors.settings, desk.client, doors.clock)
    desk.line.note(done, doors.now())
    if leaving.finish(doors, done.fault):
        desk.client.close()
        desk.line = desk.client = None
        return "left the network"
    reported = f"{done.delivered} delivered, {done.parked} parked, {done.pulled} pulled"
    return done.fault or "; ".join([reported, *done.refused])


def publish_storefront(desk: Desk, _day: dt.date) -> str:
    """Tell the network what this store's customers may order."""
    from supply.online.storefront import storefront

    at = desk.doors.now()
    with desk.doors.read() as session:
        news = storefront.look(session, desk.node_id, at=at)
    if news is None:
        return "nothing changed"
    with desk.doors.write() as session:
        storefront.publish(session, desk.node_id, news, at=at)
    return "published"


def send_messages(desk: Desk, _day: dt.date) -> str:
    """Send what is written for people: receipts, messages to suppliers, words to customers."""
    from store_app.mail import sending

    sent, failed = sending.send_due(desk.doors, desk.carried_by())
    return f"{sent} sent, {failed} failed"


def send_events(desk: Desk, _day: dt.date) -> str:
    """Write and send partners' programs what changed."""
    from store_app.api.v1 import events

    events.write_due(desk.doors)
    sent, failed = events.send_due(desk.doors)
    return f"{sent} sent, {failed} failed"


def take_papers_in(desk: Desk, _day: dt.date) -> str:
    """Look for suppliers' documents where the store set up a mailbox or a folder."""
    from store_app.inbound import looking, sources

    reported = []
    for source in sources.SOURCES:
        if sources.entered(desk.doors.settings, source):
            try:
                looking.look(desk.doors, desk.actor("papers-in"), source)
                reported.append(f"{source} looked into")
            except DomainError as fault:
                reported.append(f"{source}: {fault.code}")
    return "; ".join(reported) or "no source"


def expire_pickups(desk: Desk, _day: dt.date) -> str:
    """Give back the units of orders nobody collected."""
    from supply.online.pickup import pickup

    with desk.doors.write() as session:
        gone = pickup.expire_due(Context(session, desk.actor("expire-pickups"), desk.doors.now()), desk.node_id)
    return f"{len(gone)} expired"


def expire_offers(desk: Desk, _day: dt.date) -> str:
    """Let the network's offers lapse that nobody answered in time."""
    from supply.orders import network_offers

    with desk.doors.write() as session:
        gone = network_offers.expire_due(Context(session, desk.actor("expire-offers"), desk.doors.now()), desk.node_id)
    return f"{_count(gone)} lapsed"


# --- nightly, store ---


def summarize(desk: Desk, day: dt.date) -> str:
    """Write the shopkeeper a few words about the day, where they wish it and this node sends mail."""
    from supply.membership import day_summary

    if not envelopes.sends_mail(desk.doors.settings):
        return "no mail here"
    with desk.doors.write() as session:
        written = day_summary.write(Context(session, desk.actor("summary"), desk.doors.now()), desk.node_id, day)
    return "written" if written else "not wished"


def roll_up(desk: Desk, day: dt.date) -> str:
    """Add a day's sales up to demand; the network does so for all its stores."""
    from supply.demand import rollups

    with desk.doors.write() as session:
        rollups.roll_up(session, None, day, at=desk.doors.now())
    return f"rolled up {day}"


def forget_people(desk: Desk, _day: dt.date) -> str:
    """Forget names and phones of orders that are over, and the wrong codes of days gone by."""
    from pos import messages
    from pos.store import partner_keys, webhooks
    from supply.membership import support
    from supply.online import customer_sessions
    from supply.online.checkout import phone_codes
    from supply.online.groups import groups
    from supply.online.pickup import handover, pickup

    with desk.doors.write() as session:
        handover.forget_tries(session, desk.node_id, at=desk.doors.now())
        messages.forget(session, at=desk.doors.now())
        webhooks.forget(session, at=desk.doors.now())
        partner_keys.forget(session, at=desk.doors.now())
        phone_codes.forget(session, at=desk.doors.now())
        customer_sessions.forget(session, at=desk.doors.now())
        support.forget(session, at=desk.doors.now())
        groups.forget(session, at=desk.doors.now())
        return f"{pickup.forget_people(session, at=desk.doors.now())} orders made anonymous"


# --- network ---


def warehouse(desk: Desk, _day: dt.date) -> str:
    """Share out what the stores ordered, and load what is due."""
    from supply.network.warehouse import dispatch

    actor, now = desk.actor("warehouse"), desk.doors.now()
    with desk.doors.write() as session:
        filled = dispatch.fill(Context(session, actor, now))
    with desk.doors.write() as session:
        loaded = dispatch.dispatch_day(Context(session, actor, now))
    return f"{_count(filled)} filled, {_count(loaded)} dispatched"


def roll_fresh(desk: Desk, _day: dt.date) -> str:
    """Add up the stores' days whose sales have just arrived."""
    from supply.demand import rollups

    days = some = 0
    while days == 0 or some == rollups.DAYS_AT_ONCE:
        with desk.doors.write() as session:
            some = rollups.roll_fresh(session, at=desk.doors.now())
        if not some:
            break
        days += some
    return f"{days} stores' days added up"


def limits(desk: Desk, day: dt.date) -> str:
    """Work out what each store's facts are held against, from its own past and its region's stores."""
    from supply.demand import plausibility

    with desk.doors.write() as session:
        return f"limits of {plausibility.refresh(session, day + dt.timedelta(days=1))} stores"


def look_ahead(desk: Desk, _day: dt.date) -> str:
    """Look at what each region's stores will run out of, by what they sell, which is kept again where it changed."""
    from supply.replenishment import stockouts

    some, actor = stockouts.STORES_AT_ONCE, desk.actor("outlook")
    while some == stockouts.STORES_AT_ONCE:
        with desk.doors.write() as session:
            now = desk.doors.now()
            some = stockouts.keep_rates(Context(session, actor, now), now.astimezone(dt.UTC).date())
    with desk.doors.read() as session:
        regions = session.scalars(sa.select(Region.id).order_by(Region.id)).all()
    for region_id in regions:
        now = desk.doors.now()
        with alone(desk.doors, "region-outlook", region_id, actor=actor):
            with desk.doors.read() as session:
                seen = stockouts.look_at_regions(session, region_id, today=now.astimezone(dt.UTC).date())
            with desk.doors.write() as session:
                stockouts.keep_outlook(session, region_id, seen, at=now)
    return f"{len(regions)} regions looked at"


def keep_weeks(desk: Desk, _day: dt.date) -> str:
    """Make the coming weeks of the network's large books, and those the job missed; each in its own transaction."""
    from config.nodes import partitions
    from config.nodes.node import this_node
    from pos.sync import archive

    made, some, today = 0, 1, desk.doors.now().date()
    while some:
        with desk.doors.write() as session:
            since, away = this_node(session).born_at.date(), archive.weeks(session)
            some = len(partitions.keep(session, today, since=since, away=away))
        made += some
    return f"{made} weeks made"


def purchase(desk: Desk, _day: dt.date) -> str:
    """Propose what the warehouses buy upstream; in practice it is ordered, and comes, by itself."""
    from supply.network.purchasing import purchasing
    from supply.orders import purchases, suppliers

    practice, now = desk.doors.settings.practice, desk.doors.now()
    with desk.doors.read() as session:
        houses = suppliers.warehouses(session)
    made = 0
    for house in houses:
        with desk.doors.write() as session:
            came = purchases.purchases(session, ["ordered"], warehouse_id=house) if practice else []
            ctx = Context(session, desk.actor("purchase"), now)
            for one in came:
                if one.expected_day <= now.astimezone(dt.UTC).date():
                    purchasing.receive(ctx, house, one.id)
            found = purchasing.propose(ctx, house)
            for one in found if practice else ():
                purchasing.order(ctx, house, one.id)
            made += len(found)
    return f"{made} purchases proposed"


def ask_escrow(desk: Desk, _day: dt.date) -> str:
    """Ask about money paid online, send back what is due, pass on what may be."""
    from store_app.payments import escrow

    return f"{escrow.ask_due(desk.doors)} asked about"


def remind_customers(desk: Desk, _day: dt.date) -> str:
    """Remind customers whose order is about to expire, and call off what no store fetched in time."""
    from supply.online.pickup import no_shows, order_copy

    with desk.doors.write() as session:
        reminded = order_copy.remind(session, at=desk.doors.now())
    with desk.doors.write() as session:
        return f"{reminded} reminded, {len(no_shows.call_off(session, at=desk.doors.now()))} called off"


def close_groups(desk: Desk, _day: dt.date) -> str:
    """Close the group buys whose time is over, and settle those that are done."""
    from supply.sync import groups

    with desk.doors.write() as session:
        return f"{groups.close_due(session, at=desk.doors.now())} changed"


def publish(desk: Desk, day: dt.date) -> str:
    """Publish catalogue, offers, lessons, demand and regional forecasts for the stores that pull them."""
    from store_app.jobs import publishing

    return f"editions for {publishing.publish_all(desk.doors, day)} stores"


JOBS: dict[str, Job] = {
    job.name: job
    for job in (
        Job("print", print_paper, STORE, every_s=2, after_ring_s=0),
        Job("payments", ask_payments, STORE, every_s=5),
        Job("send", send, STORE, every_s=5, after_ring_s=0.3),
        Job("messages", send_messages, every_s=5, after_ring_s=0.3),
        Job("webhooks", send_events, STORE, every_s=10, after_ring_s=1),
        Job("papers-in", take_papers_in, STORE, every_s=300),
        Job("storefront-publish", publish_storefront, STORE, every_s=60, after_ring_s=5),
        Job("expire-pickups", expire_pickups, STORE, every_s=60),
        Job("expire-offers", expire_offers, STORE, every_s=600),
        Job("campaigns", orders.carry_campaigns_out, STORE, every_s=300),
        Job("campaigns-over", orders.settle_campaigns, NETWORK, every_s=3600),
        Job("shelf-live", orders.shelf_live, STORE, every_s=300),
        Job("warehouse", warehouse, NETWORK, every_s=900),
        Job("plan-routes", orders.plan_routes, NETWORK, every_s=3, after_ring_s=0.1),
        Job("escrow", ask_escrow, NETWORK, every_s=3, after_ring_s=0.3),
        Job("groups", close_groups, NETWORK, every_s=60),
        Job("remind", remind_customers, NETWORK, every_s=600),
        Job("publish-terms", orders.publish_terms, NETWORK, every_s=30),
        Job("weeks", keep_weeks, NETWORK, every_s=6 * 3600),
        Job("roll-changed", roll_fresh, NETWORK, every_s=20),
        Job("outlook", look_ahead, NETWORK, every_s=300),
        Job("summary", summarize, STORE),
        Job("roll-up", roll_up, BOTH, each_day=True),
        Job("report-day", money.report_day, BOTH, each_day=True),
        Job("limits", limits, NETWORK),
        Job("consigned", money.keep_consigned, STORE),
        Job("credit", money.close_money, NETWORK, each_day=True),
        Job("points", money.keep_points, NETWORK),
        Job("network-offers", money.expire_network_offers, NETWORK),
        Job("returns", money.end_returns, NETWORK),
        Job("compare", money.compare_stores, NETWORK),
        Job("report-assortment", money.report_assortment, STORE),
        Job("review-assortment", money.review_assortment, NETWORK),
        Job("purchase", purchase, NETWORK),
        Job("transfers", orders.propose_transfers, NETWORK),
        Job("forecast-regions", forecast.forecast_regions, NETWORK),
        Job("forecast-stores", forecast.forecast_stores, NETWORK),
        Job("forecast", forecast.forecast_store, STORE),
        Job("report-counts", money.send_counts, STORE),
        Job("suggest", money.suggest, STORE),
        Job("propose", orders.propose, STORE),
        Job("report-spares", orders.send_spares, STORE),
        Job("shelf-swap", orders.shelf_swap, STORE),
        Job("reward-referrals", orders.thank_friends, STORE),
        Job("replay", forecast.replay, STORE),
        Job("weeks-ahead", orders.play_weeks_ahead, STORE),
        Job("replay-regions", forecast.replay_regions, NETWORK),
        Job("publish", publish, NETWORK),
        Job("forget-people", forget_people, BOTH),
        Job("seal", keeping.seal, BOTH),
        Job("backup", keeping.back_up, BOTH),
        Job("backup-changes", keeping.back_up_changes, STORE, every_s=600),
        Job("rehearse", keeping.rehearse, STORE, every_s=60, after_ring_s=0.5),
        Job("check", keeping.check, BOTH),
        Job("watch", keeping.watch, BOTH, every_s=300),
        Job("notice-restore", keeping.notice_restore, NETWORK, every_s=5),
        Job("new-day", keeping.apply_early_facts, NETWORK, every_s=3600),
    )
}

# --- running ---


def jobs_of(settings: Settings) -> list[Job]:
    """Return the jobs of this node's role, in the table's order."""
    return [job for job in JOBS.values() if settings.role in job.roles]


def last_day(doors: Doors) -> dt.date:
    """Return the last ended business day of this node (a network: of its first store's zone)."""
    store = _store_here(doors)
    return business_day(doors.now(), store.tz, store.rollover_hour) - dt.timedelta(days=1)


def day_end(doors: Doors) -> CronTrigger:
    """Return when each business day of this node ends."""
    store = _store_here(doors)
    return CronTrigger(hour=store.rollover_hour, minute=0, second=0, timezone=store.tz)


def _store_here(doors: Doors) -> Store:
    with doors.read() as session:
        store = session.get(Store, doors.settings.node_id) or session.scalar(sa.select(Store).order_by(Store.id))
    if store is None:
        raise NotFound("no-store", "There is no store here yet.")
    return store


def _count(answer: Any) -> int:
    return len(answer) if hasattr(answer, "__len__") else int(answer or 0)
