// The store node's JSON API. A refusal carries the server's sentence; no answer is a case of its own, because
// then nobody knows whether the command was done.

import { has, say } from "./settings.js";
import { csrfToken } from "../common/token.js";
import { touchedHeader } from "../common/touched.js";

// A refusal the page has a sentence for is said in the page's language; any other as the server said it.
export class Refusal extends Error {
  /**
   * @param {number} status
   * @param {{ code: string, message: string, facts?: Record<string, any> }} error
   */
  constructor(status, error) {
    const key = `refused-${error.code}`;
    super(status === 401 && has("signed-out") ? say("signed-out") : has(key) ? say(key, error.facts ?? {}) : error.message);
    this.status = status;
    this.code = error.code;
    this.facts = error.facts ?? {};
  }
}

export class NoAnswer extends Error {}

/**
 * Ask the node; gives the parsed answer, throws Refusal (4xx) or NoAnswer (nothing, 5xx, not ours).
 * @param {"GET" | "POST"} method
 * @param {string} path
 * @param {object} [body]
 * @param {number} [timeoutMs]
 */
export async function ask(method, path, body = undefined, timeoutMs = 8000) {
  return (await askWithTag(method, path, body, timeoutMs, (answer) => answer.json())).content;
}

/**
 * Give the sentence of what went wrong; what is no answer of ours is thrown again.
 * @param {unknown} fault
 */
export function sentence(fault) {
  if (fault instanceof NoAnswer) return say("no-answer");
  if (fault instanceof Error) return fault.message;
  throw fault;
}

/**
 * The same, together with the answer's ETag; `read` takes the content out of a good answer.
 * @template T
 * @param {"GET" | "POST"} method
 * @param {string} path
 * @param {object | undefined} body
 * @param {number} timeoutMs
 * @param {(answer: Response) => Promise<T>} read
 */
export async function askWithTag(method, path, body, timeoutMs, read) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json", "X-CSRF-Token": csrfToken(), ...touchedHeader() };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer, refusal;
  try {
    answer = await fetch(path, {
      method, headers, body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-cache", credentials: "same-origin", signal: AbortSignal.timeout(timeoutMs),
    });
    if (answer.ok) return { content: await read(answer), tag: answer.headers.get("ETag") };
    refusal = await answer.json();
  } catch (fault) {
    throw new NoAnswer(String(fault));
  }
  if (answer.status >= 500 || !refusal.error) throw new NoAnswer(`${answer.status}`);
  throw new Refusal(answer.status, refusal.error);
}
