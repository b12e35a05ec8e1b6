// The app comes up, draws, and opens the scene that its link names.

import assert from "node:assert/strict";

import { onEachHost, withAppOnEachHost } from "../harness/tests.js";
import { source } from "../harness/settings.js";

onEachHost("start", (use, host) => {
  use("the app draws its first picture and complains of nothing", async (app) => {
    app.assertQuiet();
    assert.match(await app.page.title(), /^Forearm/);
    assert.equal(await app.page.locator("#cover").getAttribute("class"), "gone");
    const control = await app.service();
    assert.equal(control.state, "running");
    assert.equal(control.host, host.kind);
    assert.equal(control.restarts, 0);
    const colours = await drawnColours(app);
    assert.ok(colours > 50, `a picture has more than ${colours} colours`);
    const box = await app.page.locator("#forearm").boundingBox();
    assert.deepEqual(box, { x: 0, y: 0, ...app.page.viewportSize() });
  });

  use("control keeps ticking and tells how it does", async (app) => {
    const before = await app.state();
    const later = await app.nextState(20);
    assert.ok(later.simulated_secs > before.simulated_secs);
    assert.equal(later.timing.target_hz, 120);
    assert.equal(later.active, true);
  });

  use("nothing needs an isolated page", async (app) => {
    assert.equal(await app.page.evaluate(() => globalThis.crossOriginIsolated), false);
    assert.equal(await app.page.evaluate(() => typeof SharedArrayBuffer), "undefined");
  });

  use("the picture follows the window's size", async (app) => {
    await app.page.setViewportSize({ width: 360, height: 480 });
    await app.until(() => {
      const { width, height } = document.getElementById("forearm").getBoundingClientRect();
      return width === 360 && height === 480;
    });
    await app.page.setViewportSize({ width: 480, height: 320 });
    await app.until(() => document.getElementById("forearm").width === 480 * devicePixelRatio);
    app.assertQuiet();
  });
});

/** How many colours a picture of the page has. */
async function drawnColours(app) {
  const png = (await app.page.screenshot()).toString("base64");
  return app.page.evaluate(async (png) => {
    const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    const pixels = new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer);
    return new Set(pixels).size;
  }, png);
}

withAppOnEachHost("link: a built-in scene opens by its name", { query: { scene: "two_arms" } }, async (app) => {
  assert.equal((await app.state()).arms.length, 2);
  app.assertQuiet();
});

withAppOnEachHost(
  "link: a scene file opens by its address",
  { query: { scene: "../../../repository/scenes/sorting.ron" } },
  async (app) => {
    const named = (scene) => source(`scenes/${scene}.ron`).match(/shape:/g).length;
    const { objects } = await app.state();
    assert.notEqual(named("sorting"), named("pick_and_place"), "the two can be told apart");
    assert.equal(objects.length, named("sorting"));
    app.assertQuiet();
  },
);

withAppOnEachHost(
  "link: a scene opens that the link itself carries",
  {
    hash: `scene=${Buffer.from('Scene(name: "carried", arms: [(name: "one"), (name: "two", position: (0, 0.4, 0))])').toString("base64url")}`,
  },
  async (app) => {
    assert.equal((await app.state()).arms.length, 2);
  },
);

for (const [what, scene, ...said] of [
  ["that nobody knows", "nowhere", "nowhere"],
  ["whose file is missing", "../gone.ron", "gone.ron", "404"],
  ["whose file is no scene", "../../../repository/scenes/README.md", "README.md"],
  ["of a site that can't be reached", "http://127.0.0.1:9/scene.ron", "127.0.0.1:9", "Access-Control-Allow-Origin"],
]) {
  withAppOnEachHost(`link: a scene ${what} is told, and the default opens`, { query: { scene } }, async (app) => {
    await app.toast("The scene of this link", ...said);
    assert.equal((await app.state()).arms.length, 1);
  });
}
