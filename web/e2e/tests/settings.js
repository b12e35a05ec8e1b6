// What a person chooses outlives the page, and a browser that keeps nothing is no failure.

import assert from "node:assert/strict";

import { withAppOnEachHost } from "../harness/tests.js";

const KEY = "forearm/settings";

withAppOnEachHost("settings: survive a reload", {}, async (app) => {
  // F2 opens the list of workers, which is remembered.
  await app.page.locator("#forearm").focus();
  const before = await app.page.evaluate((key) => localStorage.getItem(key), KEY);
  await app.page.keyboard.press("F2");
  const chosen = await app.until(
    ([key, before]) => {
      const text = localStorage.getItem(key);
      return text !== null && text !== before ? text : null;
    },
    [KEY, before],
  );
  await app.page.reload();
  await app.running();
  assert.equal(await app.page.evaluate((key) => localStorage.getItem(key), KEY), chosen);
  // What was open is open again: the key closes it now.
  await app.page.locator("#forearm").focus();
  await app.page.keyboard.press("F2");
  await app.until(([key, chosen]) => localStorage.getItem(key) !== chosen, [KEY, chosen]);
  app.assertQuiet();
});

withAppOnEachHost(
  "settings: that can't be read are told, and the defaults are taken",
  { prepare: (page) => page.addInitScript((key) => localStorage.setItem(key, "Settings(((("), KEY) },
  async (app) => {
    await app.toast("the browser's stored settings", "starting with defaults");
  },
);

withAppOnEachHost(
  "settings: that may not be kept are no failure",
  {
    prepare: (page) =>
      page.addInitScript(() =>
        Object.defineProperty(globalThis, "localStorage", {
          get() {
            throw new DOMException("storage is forbidden", "SecurityError");
          },
        }),
      ),
  },
  async (app, { kind }) => {
    // Where there are no workers, that is told.
    const others = (text) => kind === "worker" || !/^(Control|Recording) runs on the main thread/.test(text);
    assert.deepEqual((await app.toasts()).filter(others), []);
    // What can't be stored is in force all the same.
    await app.page.locator("#forearm").focus();
    await app.page.keyboard.press("F2");
    await app.frames(3);
    app.assertQuiet();
  },
);
