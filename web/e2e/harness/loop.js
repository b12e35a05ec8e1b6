// The control service in a page without a picture (pages/loop).

import assert from "node:assert/strict";

import { browser } from "./browser.js";
import { PATIENCE } from "./app.js";
import { site } from "./site.js";

/** Opens such a page, lets `work(page)` use its `loop`, closes it. */
export async function withLoop(work) {
  const page = await (await browser()).newPage();
  const complaints = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error.stack ?? error)));
  try {
    page.setDefaultTimeout(PATIENCE);
    await page.goto((await site()).loop);
    await page.waitForFunction(() => globalThis.loop);
    await work(page);
    assert.deepEqual(complaints, []);
  } finally {
    await page.close();
  }
}
