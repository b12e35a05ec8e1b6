// The environment service in a page without a picture (pages/environment).

import assert from "node:assert/strict";

import { browser } from "./browser.js";
import { settings } from "./settings.js";
import { site } from "./site.js";

/** Opens the page; `query` is what follows its address. */
export async function openEnvironment(query = "") {
  const page = await (await browser()).newPage();
  const complaints = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error.stack ?? error)));
  await page.goto((await site()).environment + query);
  await page.waitForFunction(() => globalThis.environment);
  return { page, complaints };
}

/** Runs `work(page)` with a page of its own; nothing may be left in its console. */
export async function withEnvironment(work, { query = "", noisy = false } = {}) {
  const { page, complaints } = await openEnvironment(query);
  try {
    await work(page);
    if (!noisy) assert.deepEqual(complaints, []);
  } finally {
    await page.close();
  }
}

/** Asks in the page; fails as the service does. */
export async function ask(page, request, fields) {
  const { reply, error } = await page.evaluate(([request, fields]) => environment.ask(request, fields), [request, fields]);
  assert.equal(error, undefined);
  return reply;
}

/** What `env/init` is told: a task, and what differs from what is usual. */
export const init = (task, worlds = 1, config = {}) => ({ config: { task, ...config }, worlds });

/** Why these tests can't run, or false. */
export const skip = settings.env_web ? false : "the page was not built";
