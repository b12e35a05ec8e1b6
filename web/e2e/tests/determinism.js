// The same scene and motion give the same world after 10 000 steps, to the last bit: natively, in a
// worker, and on the page's main thread.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { settings, source } from "../harness/settings.js";
import { withLoop } from "../harness/loop.js";
import { test, withAppOnEachHost } from "../harness/tests.js";

/** 500 steps a second. */
const SECS = 20;
const STEPS = 10_000;
const SCENE = source("scenes/pick_and_place.ron");
const MOTION = source("scenes/motions/pick_and_place.ron");

const skip = settings.app && settings.web_bench ? false : "the native program or the page was not built";
let native = null;

/** What the native program says of the run. */
function natively() {
  native ??= promisify(execFile)(
    settings.app,
    ["teleoperate", "--headless", "--fast", "--json", "--scene", "pick_and_place", "--script", "pick_and_place", "--duration", String(SECS)],
    { cwd: settings.root },
  ).then(({ stdout }) => JSON.parse(stdout));
  return native;
}

async function assertSame(inspection) {
  const expected = await natively();
  assert.equal(expected.steps, STEPS);
  assert.deepEqual(expected.in_tray, [["cube", "tray"]], "the run is worth comparing");
  for (const part of ["steps", "ticks", "in_tray", "state_hash"]) {
    assert.deepEqual(inspection[part], expected[part], part);
  }
}

for (const [host, where] of [["worker", "in a worker"], ["inline", "on the main thread"]]) {
  test(`determinism: a run in real time ${where} ends as natively`, { skip }, () =>
    withLoop(async (page) => {
      await page.evaluate(([host, scene, motion, secs]) => {
        loop.open(host, scene, motion, secs);
        loop.drive();
      }, [host, SCENE, MOTION, SECS]);
      await page.waitForFunction(() => loop.state()?.active === false, null, { polling: 100 });
      assert.equal(await page.evaluate(() => loop.host()), host);
      await assertSame(await page.evaluate(() => loop.request("Inspect")));
    }),
  );
}

test("determinism: a run in stepped time on the main thread ends as natively", { skip }, () =>
  withLoop(async (page) => {
    await page.evaluate(([scene, motion, secs]) => {
      loop.open("stepped", scene, motion, secs);
      loop.advance(secs + 1);
    }, [SCENE, MOTION, SECS]);
    await assertSame(await page.evaluate(() => loop.request("Inspect")));
  }),
);

withAppOnEachHost("determinism: a trial in the app's pool ends as natively", {}, async (app, host) => {
  const outcome = await app.page.evaluate(
    (duration_secs) => globalThis.forearm.trial({ motion: "pick_and_place", duration_secs }),
    SECS,
  );
  await assertSame(outcome);
  // Services are noted a few times a second.
  const ran = await app.until(() => {
    const pool = globalThis.forearm.services().find(({ name }) => name === "trials");
    return pool.messages > 0 ? pool.host : null;
  });
  assert.equal(ran, host.kind);
});
