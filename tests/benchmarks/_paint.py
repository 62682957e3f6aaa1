"""How soon a phone shows something of a page, and how much of it travels: Chromium at a sixth of its speed."""

from __future__ import annotations

import shutil
import statistics
from typing import Any

from playwright.sync_api import Browser

PHONE = {"width": 390, "height": 844}
SLOWER, LOADS = 6, 9
_FIRST = """() => new Promise((found) => new PerformanceObserver((list) => {
  const one = list.getEntriesByName("first-contentful-paint")[0];
  if (one) found(one.startTime);
}).observe({type: "paint", buffered: true}))"""


def chromium() -> str | None:
    """Return the path of the system's Chromium."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def paints(
    browser: Browser | None, urls: dict[str, str], loads: int = LOADS, state: Any = None
) -> dict[str, dict[str, float]]:
    """Return per page the first paint's median and worst in ms, and its kB, each load in a phone without a cache.

    Empty where there is no Chromium. state: the cookies of who is signed in.
    """
    if browser is None:
        return {}
    found = {}
    for name, url in urls.items():
        each = [_load(browser, url, state) for _ in range(loads)]
        times = [ms for ms, _ in each]
        found[name] = {
            "p50_ms": round(statistics.median(times)), "worst_ms": round(max(times)),
            "kb": round(max(kb for _, kb in each), 1),
        }  # fmt: skip
    return found


def _load(browser: Browser, url: str, state: Any) -> tuple[float, float]:
    context = browser.new_context(viewport=PHONE, storage_state=state)  # type: ignore[arg-type]
    page = context.new_page()
    line = context.new_cdp_session(page)
    came: list[float] = []

    def note(event: dict[str, Any]) -> None:
        came.append(event["encodedDataLength"])

    line.send("Network.enable")
    line.on("Network.loadingFinished", note)
    line.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.goto(url, wait_until="load")
    first_ms = float(page.evaluate(_FIRST))
    context.close()
    return first_ms, sum(came) / 1000
