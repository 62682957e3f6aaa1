// The customer's store without a line: the page to collect an order with, as this phone saw it last. The line always
// comes first, and of the store's own pages none is shown without it: a price or a promise must not be an old one.

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
const SCOPE = worker.registration.scope, ORDERS = `${SCOPE} orders`, DRESS = `${SCOPE} dress`, NO_LINE = `${SCOPE}no-line`;
const MOST_ORDERS = 5, MOST_PARTS = 12;

worker.addEventListener("install", (event) => event.waitUntil(
  caches.open(DRESS).then((dress) => dress.add(NO_LINE)).then(() => worker.skipWaiting()),
));
worker.addEventListener("activate", (event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener("message", (event) => {
  if (isOrder(bare(event.data))) event.waitUntil(fetch(event.data).then((answer) => keepOrder(event.data, answer)));
});
worker.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || new URL(request.url).origin !== location.origin) return;
  if (request.mode === "navigate") event.respondWith(page(request));
  else if (["style", "script", "image"].includes(request.destination)) event.respondWith(part(request));
});

/** @param {Request} request */
async function page(request) {
  try {
    const answer = await fetch(request);
    await keepOrder(request.url, answer.clone());
    return answer;
  } catch {
    const known = await (await caches.open(ORDERS)).match(bare(request.url));
    return known ? asKept(known) : await (await caches.open(DRESS)).match(NO_LINE) ?? Response.error();
  }
}

/** @param {Request} request */
async function part(request) {
  const dress = await caches.open(DRESS);
  try {
    const answer = await fetch(request);
    if (answer.ok) await keep(dress, request.url, answer.clone(), MOST_PARTS);
    return answer;
  } catch {
    return await dress.match(request.url) ?? Response.error();
  }
}

/**
 * Keep an order's page as long as the order is open.
 * @param {string} address
 * @param {Response} answer
 */
async function keepOrder(address, answer) {
  const path = bare(address);
  if (!isOrder(path) || !answer.ok) return;
  const orders = await caches.open(ORDERS), isOpen = (await answer.clone().text()).includes(" data-open");
  if (isOpen) await keep(orders, path, answer, MOST_ORDERS);
  else await orders.delete(path);
}

/** @param {string} path */
const isOrder = (path) => path.startsWith(`${SCOPE}order/`) && path.slice(SCOPE.length).split("/").length === 2;

/**
 * @param {Cache} cache
 * @param {string} address
 * @param {Response} answer
 * @param {number} most
 */
async function keep(cache, address, answer, most) {
  await cache.delete(address);
  await cache.put(address, answer);
  const all = (await cache.keys()).filter(({ url }) => url !== NO_LINE);
  await Promise.all(all.slice(0, Math.max(0, all.length - most)).map((oldest) => cache.delete(oldest)));
}

/**
 * Let the page say that it is an old one.
 * @param {Response} known
 */
async function asKept(known) {
  const text = (await known.text()).replace(" data-as-kept hidden", " data-as-kept");
  return new Response(text, { headers: known.headers });
}

/** @param {string} address */
function bare(address) {
  return address.replace(/[?#].*/, "");
}
