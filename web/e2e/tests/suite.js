// The worker runtime keeps its promises in a browser too: the suite that its native tests run, on both
// hosts.

import assert from "node:assert/strict";

import { browser } from "../harness/browser.js";
import { settings } from "../harness/settings.js";
import { site } from "../harness/site.js";
import { test } from "../harness/tests.js";

const skip = settings.suite ? false : "the suite was not built";

for (const [host, where] of [["thread", "in workers"], ["inline", "on the main thread"]]) {
  test(`the worker runtime's own suite: every case holds ${where}`, { skip }, async (t) => {
    const page = await (await browser()).newPage();
    try {
      await page.goto((await site()).suite);
      await page.waitForFunction(() => globalThis.suite, null, { timeout: 60_000 });
      const results = await page.evaluate((host) => globalThis.suite.run(host), host);
      assert.ok(results.length > 10, `only ${results.length} cases ran`);
      for (const { name, ok, error, skipped } of results) {
        // A case that can't exist on a host says why, and is none that was left out.
        if (skipped) console.log(`not a case ${where}: ${name}: ${skipped}`);
        else await t.test(name, () => assert.ok(ok, error));
      }
    } finally {
      await page.close();
    }
  });
}
