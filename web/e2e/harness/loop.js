// The control service in a page without a picture (pages/loop).

import assert from "node:assert/strict";

import { browser } from "./browser.js";
import { PATIENCE } from "./app.js";
import { site } from "./site.js";

/** Opens such a page, lets `work(page, prepared)` use its `loop`, closes it. `prepare(page)` runs before
 * it is loaded, and answers what is `prepared`. */
export async function withLoop(work, { query = {}, prepare } = {}) {
  const page = await (await browser()).newPage();
  const complaints = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error.stack ?? error)));
  try {
    page.setDefaultTimeout(PATIENCE);
    const prepared = await prepare?.(page);
    const address = new URL((await site()).loop);
    for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value);
    await page.goto(address.href);
    await page.waitForFunction(() => globalThis.loop);
    await work(page, prepared);
    assert.deepEqual(complaints, []);
  } finally {
    await page.close();
  }
}
