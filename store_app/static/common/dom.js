// Finding elements, each of the kind that is expected: what is missing is said by its name.

/**
 * @template T
 * @param {unknown} found
 * @param {new () => T} kind
 * @param {string} name
 * @returns {T}
 */
function expected(found, kind, name) {
  if (found instanceof kind) return found;
  throw new Error(`The page has no ${kind.name} ${name}`);
}

/**
 * Give the element of an id.
 * @template {Element} T
 * @overload
 * @param {string} id
 * @param {new () => T} kind
 * @returns {T}
 */
/**
 * @overload
 * @param {string} id
 * @returns {HTMLElement}
 */
/**
 * @param {string} id
 * @param {new () => Element} [kind]
 */
export function byId(id, kind = HTMLElement) { return expected(document.getElementById(id), kind, id); }

/**
 * Give the first element inside `root` that fits.
 * @template {Element} T
 * @overload
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} kind
 * @returns {T}
 */
/**
 * @overload
 * @param {ParentNode} root
 * @param {string} selector
 * @returns {HTMLElement}
 */
/**
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => Element} [kind]
 */
export function one(root, selector, kind = HTMLElement) { return expected(root.querySelector(selector), kind, selector); }

/**
 * Give the first element inside `root` that fits, or null.
 * @template {Element} T
 * @overload
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} kind
 * @returns {T | null}
 */
/**
 * @overload
 * @param {ParentNode} root
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
/**
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => Element} [kind]
 */
export function maybe(root, selector, kind = HTMLElement) {
  const found = root.querySelector(selector);
  return found instanceof kind ? found : null;
}

/**
 * List all elements inside `root` that fit.
 * @template {Element} T
 * @overload
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} kind
 * @returns {T[]}
 */
/**
 * @overload
 * @param {ParentNode} root
 * @param {string} selector
 * @returns {HTMLElement[]}
 */
/**
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => Element} [kind]
 */
export function all(root, selector, kind = HTMLElement) { return [...root.querySelectorAll(selector)].filter((found) => found instanceof kind); }

/**
 * Give the nearest element that fits around what an event happened to, or null.
 * @template {Element} T
 * @overload
 * @param {Event} event
 * @param {string} selector
 * @param {new () => T} kind
 * @returns {T | null}
 */
/**
 * @overload
 * @param {Event} event
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
/**
 * @param {Event} event
 * @param {string} selector
 * @param {new () => Element} [kind]
 */
export function around(event, selector, kind = HTMLElement) {
  const found = event.target instanceof Element ? event.target.closest(selector) : null;
  return found instanceof kind ? found : null;
}

/**
 * Give a form's field by its name.
 * @template {Element} T
 * @overload
 * @param {HTMLFormElement} form
 * @param {string} name
 * @param {new () => T} kind
 * @returns {T}
 */
/**
 * @overload
 * @param {HTMLFormElement} form
 * @param {string} name
 * @returns {HTMLInputElement}
 */
/**
 * @param {HTMLFormElement} form
 * @param {string} name
 * @param {new () => Element} [kind]
 */
export function fieldOf(form, name, kind = HTMLInputElement) { return expected(form.elements.namedItem(name), kind, name); }

/**
 * Write a number as the page's language does, with just so many decimals.
 * @param {number} value
 * @param {number} places
 */
export function figures(value, places) {
  return value.toLocaleString(document.documentElement.lang || "en", { minimumFractionDigits: places, maximumFractionDigits: places });
}

/**
 * Write basis points as a percentage, as the page's language does.
 * @param {number} bp
 * @param {number} [places] at most
 */
export function percent(bp, places = 2) {
  return (bp / 10_000).toLocaleString(document.documentElement.lang || "en", { style: "percent", maximumFractionDigits: places });
}
