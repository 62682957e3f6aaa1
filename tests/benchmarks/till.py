"""The till's page in a real browser with 20,000 products: scan to paint, scans without a pause, page ready; and Today.

Scans come as key strokes of a scanner. `scan_paint_ms` runs from the last key to the first frame that shows the line;
the browser draws frames as fast as it can and moves nothing: the figure is work, not waiting. `_6x`: the processor is
slowed down six times. The page is made ready from an empty cache every time. What the measuring itself asks of the page
it asks before or after what is measured, by a line of its own: Playwright's way of waiting brings 330 kB of script.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
from typing import Any

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, sync_playwright

from tests.benchmarks._node import PIN, Served, code_of, store_node
from tests.benchmarks._paint import chromium, paints
from tests.browser.conftest import wedge

PRODUCTS, WITHOUT_A_PAUSE, SLOWED = 20_000, 30, 6
PROBE = """
window.probe = { paints: [], began: 0 };
addEventListener("keydown", (event) => { if (event.key === "Enter") probe.began = performance.now(); }, true);
const channel = new MessageChannel();
channel.port1.onmessage = () => {
  if (probe.began) probe.paints.push(performance.now() - probe.began);
  probe.began = 0;
};
new MutationObserver(() => {
  const page = document.documentElement;
  if (page.hasAttribute("data-ready") && !probe.ready) probe.ready = performance.now();
  if (probe.began) requestAnimationFrame(() => channel.port2.postMessage(0));
}).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
window.until = async (holds) => {
  while (!holds()) await new Promise((later) => setTimeout(later, 20));
  return true;
};
"""


def main() -> None:
    """Measure and print; with --json the last line is one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    rounds, scans = (3, 25) if asked.quick else (7, 60)
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=_chromium(), args=_FLAGS)
        result = measure(browser, rounds, scans)
        browser.close()
    if asked.json:
        print(json.dumps(result))
        return
    ours = result["ours"]
    print(f"scan to paint: {ours['scan_paint_ms']:.1f} ms, slowed {SLOWED} times {ours['scan_paint_ms_6x']:.1f} ms")
    print(f"of {WITHOUT_A_PAUSE} scans without a pause {ours['lost_scans']} lost")
    print(f"page ready in {ours['ready_ms']:.0f} ms, slowed {SLOWED} times {ours['ready_ms_6x']:.0f} ms")
    print(f"first paint of Today, slowed {SLOWED} times {ours['today_paint_ms_6x']:.0f} ms")


def measure(browser: Browser, rounds: int, scans: int, products: int = PRODUCTS) -> dict[str, Any]:
    """Open the page again per round, fast and slowed in turn; medians over the rounds, lost scans summed."""
    with store_node(products) as (served, _):
        return _measured(browser, served, rounds, scans, products)


def _measured(browser: Browser, served: Served, rounds: int, scans: int, products: int) -> dict[str, Any]:
    dice = random.Random(5)
    ready: dict[int, list[float]] = {1: [], SLOWED: []}
    painted: dict[int, list[float]] = {1: [], SLOWED: []}
    lost = 0
    state = _signed_in(browser, served)
    for _ in range(rounds):
        for slowed in (1, SLOWED):
            context = browser.new_context(storage_state=state, reduced_motion="reduce")
            page, line = _opened(context, served, slowed)
            ready[slowed].append(_asked(line, "probe.ready"))
            codes = [code_of(rank) for rank in dice.sample(range(products), scans // rounds + 1 + WITHOUT_A_PAUSE)]
            painted[slowed] += _paints(page, line, codes[WITHOUT_A_PAUSE:])
            before = _lines(page)
            wedge(page, *codes[:WITHOUT_A_PAUSE])
            lost += before + WITHOUT_A_PAUSE - _settled(page, before + WITHOUT_A_PAUSE)
            page.evaluate("localStorage.clear()")
            context.close()
    today = paints(browser, {"today": f"http://127.0.0.1:{served.port}/today/"}, rounds, state)
    return {
        "bench": "till",
        "ours": {
            "scan_paint_ms": round(statistics.median(painted[1]), 2),
            "scan_paint_ms_6x": round(statistics.median(painted[SLOWED]), 2),
            "lost_scans": lost,
            "ready_ms": round(statistics.median(ready[1]), 0),
            "ready_ms_6x": round(statistics.median(ready[SLOWED]), 0),
            "today_paint_ms_6x": today["today"]["p50_ms"],
        },
        "reference": {},
        "ratio": {},
        "settings": {"products": products, "rounds": rounds, "scans": len(painted[1]), "slowed": SLOWED},
    }


_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-gpu-vsync", "--disable-frame-rate-limit"]


def _chromium() -> str:
    found = chromium()
    if found is None:
        raise SystemExit("There is no Chromium on this machine: install the package chromium.")
    return found


def _signed_in(browser: Browser, served: Served) -> Any:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{served.port}/signin/ana?next=/till/")
    page.fill("#pin", PIN)
    page.press("#pin", "Enter")
    page.wait_for_selector("html[data-ready]")
    page.evaluate("localStorage.clear()")
    state = context.storage_state()
    context.close()
    return state


def _opened(context: BrowserContext, served: Served, slowed: int) -> tuple[Page, CDPSession]:
    page = context.new_page()
    page.add_init_script(PROBE)
    line = context.new_cdp_session(page)
    line.send("Emulation.setCPUThrottlingRate", {"rate": slowed})
    page.goto(f"http://127.0.0.1:{served.port}/till/")
    _asked(line, "until(() => probe.ready)")
    return page, line


def _asked(line: CDPSession, words: str) -> Any:
    """Let the page say something, without anything of Playwright's in it."""
    reported = line.send("Runtime.evaluate", {"expression": words, "awaitPromise": True, "returnByValue": True})
    return reported["result"]["value"]


def _paints(page: Page, line: CDPSession, codes: list[str]) -> list[float]:
    """Scan one code after the other, each when the one before has been painted and priced."""
    for seen, code in enumerate(codes, 1):
        wedge(page, code)
        page.wait_for_timeout(150)  # painted, and the server's prices come and are shown: not part of the next scan
        _asked(line, f"until(() => probe.paints.length >= {seen})")
    painted: list[float] = _asked(line, "probe.paints")
    return painted


def _lines(page: Page) -> int:
    return int(page.evaluate("document.querySelectorAll('#lines > li').length"))


def _settled(page: Page, wanted: int) -> int:
    try:
        page.wait_for_function(
            "(wanted) => document.querySelectorAll('#lines > li').length >= wanted", arg=wanted, timeout=20_000
        )
    except Exception:  # lost ones never come: what is there is counted
        return _lines(page)
    return _lines(page)


if __name__ == "__main__":
    main()
