// Cameras and video codecs of the browser: Chromium's fake camera, on both ways from the page to where it
// is read, and a test pattern that tells which frame it is; encoded and decoded again.

import assert from "node:assert/strict";

import { PATIENCE } from "../harness/app.js";
import { browser } from "../harness/browser.js";
import { settings } from "../harness/settings.js";
import { site } from "../harness/site.js";
import { test } from "../harness/tests.js";

const skip = settings.vision_web ? false : "the page was not built";
const ROWS = 30;

/** Opens the page, lets `work(page)` use its `vision`, closes it. */
async function withVision(work, { query = {}, prepare } = {}) {
  const context = await (await browser()).newContext();
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    await prepare?.(page, context);
    const address = new URL((await site()).vision);
    for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value);
    await page.goto(address.href);
    await page.waitForFunction(() => globalThis.vision);
    await work(page);
  } finally {
    await context.close();
  }
}

/** What every video has to be like: all rows, every second one a key frame. */
function assertWhole(found) {
  assert.deepEqual(found.wrong, []);
  assert.ok(found.inTime, JSON.stringify(found));
  const { rows, packets, keys, odd, pictures } = found;
  assert.deepEqual({ rows, packets, keys, odd, pictures }, { rows: ROWS, packets: ROWS, keys: ROWS / 2, odd: 0, pictures: ROWS });
}

test("cameras: a pattern is encoded and decoded again, frame by frame", { skip }, () =>
  withVision(async (page) => {
    const found = await page.evaluate((rows) => vision.record("pattern", { rows }), ROWS);
    assertWhole(found);
    assert.deepEqual(found.size, [640, 480]);
  }),
);

for (const [name, query] of [
  ["by its stream", {}],
  ["out of a video element", { camera: "video" }],
]) {
  test(`cameras: the browser's camera, ${name}`, { skip }, () =>
    withVision(
      async (page) => {
        const found = await page.evaluate((rows) => vision.record("", { rows, width: 320, height: 240 }), ROWS);
        assertWhole(found);
        assert.deepEqual(found.size, [320, 240]);
        const steps = found.stamps.slice(1).map((stamp, place) => stamp - found.stamps[place]);
        assert.ok(steps.every((step) => step > 0), `times go on: ${steps}`);
        const [camera] = await page.evaluate(() => vision.cameras());
        assert.match(camera.label, /fake/);
        assert.ok(camera.modes >= 3, JSON.stringify(camera));
        const chosen = await page.evaluate(([id, rows]) => vision.record(id, { rows }), [camera.id, ROWS]);
        assertWhole(chosen);
        assert.deepEqual(chosen.size, [640, 480]);
      },
      { query },
    ),
  );
}

test("cameras: one that is not there, and one that is forbidden, say so", { skip }, () =>
  withVision(
    async (page) => {
      const gone = await page.evaluate(() => vision.record("no such camera"));
      assert.match(gone.health, /lost: the camera is not there: plug it in/);
      const forbidden = await page.evaluate(() => {
        navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("no", "NotAllowedError"));
        return vision.record("");
      });
      assert.match(forbidden.health, /lost: the browser may not use a camera .*allow it/);
    },
  ),
);

test("cameras: one that is pulled comes back by itself", { skip }, () =>
  withVision(async (page) => {
    const found = await page.evaluate(async (rows) => {
      const tracks = [];
      const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = async (wanted) => {
        const stream = await real(wanted);
        tracks.push(stream.getVideoTracks()[0]);
        return stream;
      };
      // As when its cable is pulled: frames end, and the page is told.
      const meanwhile = () => {
        tracks[0].stop();
        tracks[0].onended?.();
      };
      const recorded = await vision.record("", { rows, meanwhile });
      return { ...recorded, opened: tracks.length };
    }, ROWS);
    assertWhole(found);
    assert.equal(found.opened, 2);
    assert.equal(found.health, "live");
  }),
);

test("cameras: a browser without WebCodecs says so", { skip }, () =>
  withVision(
    async (page) => {
      const said = await page.evaluate(() => vision.record("pattern").then(() => null, (error) => String(error)));
      assert.match(said, /no WebCodecs here: use Chrome/);
    },
    { prepare: (page) => page.addInitScript(() => delete globalThis.VideoEncoder) },
  ),
);
