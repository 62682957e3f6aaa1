// What a person could not read on a page: clipped, outside its box or the page, under another text, or without
// room for its hint. Called with the window's width and the directions to try.
async ({ width, directions }) => {
  const found = new Set();
  const words = (one) => (one.textContent || one.placeholder || one.value || "").trim().replace(/\s+/g, " ").slice(0, 60);
  const tell = (what, one, more = "") => found.add(`${what}: ${one.tagName}.${one.getAttribute("class") ?? ""} ${words(one)}${more}`);
  const frame = () => new Promise(requestAnimationFrame);
  const root = document.documentElement;

  /** @returns {Promise<boolean>} whether the page keeps within the window; a chart follows its new size a frame later */
  const settles = async () => {
    for (let kept = 0, left = 120; left > 0; left--) {
      await frame();
      kept = innerWidth === width && root.scrollWidth <= root.clientWidth ? kept + 1 : 0;
      if (kept === 3) return true;
    }
    return false;
  };

  const isShown = (one) => one.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })
    && !one.closest(".visually-hidden, .skip, [inert], .label-picture");

  const pen = document.createElement("canvas").getContext("2d");
  const holds = (field, text) => {
    const { font, paddingLeft, paddingRight } = getComputedStyle(field);
    pen.font = font;
    return pen.measureText(text).width <= field.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight) + 1;
  };

  /** The boxes a text has to stay within: what clips it, what can be scrolled to it, what is drawn around it. */
  const around = (own) => {
    const seen = { left: -1e6, right: 1e6, top: -1e6, bottom: 1e6, layer: null, scrolls: false, box: null };
    for (let one = own; one && one !== document.body; one = one.parentElement) {
      const { overflowX, overflowY, position, display, borderTopWidth, webkitLineClamp } = getComputedStyle(one);
      const at = one.getBoundingClientRect();
      if (!seen.layer && (/fixed|sticky/.test(position) || one.matches("dialog, .panel"))) seen.layer = one;
      if (overflowX !== "visible") {
        const isCut = one.scrollWidth > one.clientWidth + 1
          || (webkitLineClamp === "none" && one.scrollHeight > one.clientHeight + 2);
        if (/auto|scroll/.test(overflowX + overflowY)) seen.scrolls = true;
        else if (!seen.scrolls && one.clientWidth > 2 && isCut && !one.closest("svg")) tell("clipped", one);
        seen.left = Math.max(seen.left, at.left);
        seen.right = Math.min(seen.right, at.right);
        seen.top = Math.max(seen.top, at.top);
        seen.bottom = Math.min(seen.bottom, at.bottom);
      }
      const isDrawn = (borderTopWidth !== "0px" && display !== "table") || one.matches("td, th, button, .btn, .tag");
      if (!seen.box && display !== "inline" && isDrawn) seen.box = at;
    }
    return seen;
  };

  const look = () => {
    for (const field of document.querySelectorAll("input[placeholder]")) {
      if (isShown(field) && !field.value && !holds(field, field.placeholder)) tell("hint cut", field);
    }
    for (const field of document.querySelectorAll("select:not([multiple])")) {
      if (isShown(field) && !holds(field, field.selectedOptions[0]?.label ?? "")) tell("choice cut", field, ` ${field.selectedOptions[0].label}`);
    }
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), seen = [];
    for (let text = texts.nextNode(); text; text = texts.nextNode()) {
      const own = text.parentElement, range = document.createRange();
      if (!text.data.trim() || own.closest("script, style, option, textarea, title") || !isShown(own)) continue;
      const within = around(own);
      range.selectNodeContents(text);
      for (const at of range.getClientRects()) {
        if (at.width < 2 || at.height < 2) continue;
        const { box, layer, scrolls } = within;
        const [left, right] = [Math.max(at.left, within.left), Math.min(at.right, within.right)];
        const [top, bottom] = [Math.max(at.top, within.top), Math.min(at.bottom, within.bottom)];
        if (right - left <= 2 || bottom - top <= 2) continue;
        if (!scrolls && (left < -1 || right > root.clientWidth + 1)) tell("off the page", own);
        if (!scrolls && box && (left < box.left - 1.5 || right > box.right + 1.5)) tell("outside its box", own);
        seen.push({ left, right, top, bottom, text, own, layer });
      }
    }
    seen.sort((a, b) => a.top - b.top);
    for (const [n, a] of seen.entries()) {
      for (let m = n + 1; m < seen.length && seen[m].top < a.bottom; m++) {
        const b = seen[m], wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const high = Math.min(a.bottom, b.bottom) - b.top, least = Math.min(a.bottom - a.top, b.bottom - b.top) / 3;
        if (a.text !== b.text && a.layer === b.layer && wide > 2 && high > least) tell("overlap", a.own, ` <> ${words(b.own)}`);
      }
    }
    for (const place of document.querySelectorAll(".rail a")) if (place.scrollWidth > place.clientWidth) tell("clipped", place);
  };

  for (const direction of directions) {
    root.dir = direction;
    const before = [...found];
    if (await settles()) {
      look();
      if (found.size > before.length && await settles()) { // what is gone some frames later nobody has read so
        found.clear();
        for (const one of before) found.add(one);
        look();
      }
    } else found.add(`wider than the window, ${direction}`);
    if (found.size > before.length) found.add(`that was ${direction}`);
  }
  if (document.querySelectorAll("h1").length !== 1) found.add("not one heading");
  return [...found];
}
