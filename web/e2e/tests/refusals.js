// Where something is missing or wrong, the app says so, and goes on if it can.

import assert from "node:assert/strict";

import { App } from "../harness/app.js";
import { isolate } from "../harness/site.js";
import { test, withApp } from "../harness/tests.js";

withApp("without workers: a site that forbids workers still runs, and says why", { place: "strict" }, async (app) => {
  const control = await app.service();
  assert.equal(control.host, "inline");
  assert.ok(control.fallback, "there is a reason");
  await app.toast("Control runs on the main thread", "keeps time only while");
  const before = await app.state();
  await app.page.keyboard.down("ArrowRight");
  await app.until((from) => globalThis.forearm.state().arms[0].joints[0].target > from + 0.1, before.arms[0].joints[0].target);
  await app.page.keyboard.up("ArrowRight");
});

withApp("without workers: switching them off in the address is told as the reason", { query: { workers: "off" } }, async (app) => {
  const control = await app.service();
  assert.equal(control.host, "inline");
  assert.match(control.fallback, /switched off in the page's address/);
});

withApp(
  "without workers: a browser without them still runs, and says why",
  { prepare: (page) => page.addInitScript(() => delete globalThis.Worker) },
  async (app) => {
    const control = await app.service();
    assert.equal(control.host, "inline");
    assert.match(control.fallback, /no workers/);
  },
);

test("isolation: a page that has lost SharedArrayBuffer says so, once, and goes on", async () => {
  const visits = [];
  isolate(false);
  const app = await App.open({ place: "changing" });
  const visit = async (expected) => {
    assert.equal(await app.page.evaluate(() => crossOriginIsolated && typeof SharedArrayBuffer === "function"), expected);
    assert.equal((await app.service()).host, "worker");
    visits.push((await app.toasts()).filter((text) => text.includes("SharedArrayBuffer")));
  };
  try {
    await visit(false);
    for (const expected of [true, false, false]) {
      isolate(expected);
      await app.page.reload();
      await app.running();
      await visit(expected);
    }
    const told = visits.map((toasts) => toasts.length);
    assert.deepEqual(told, [0, 0, 1, 0], JSON.stringify(visits));
    assert.match(visits[2][0], /Nothing in Forearm needs it.*Cross-Origin-Opener-Policy.*Cross-Origin-Embedder-Policy/);
    app.assertQuiet();
  } finally {
    isolate(false);
    await app.close();
  }
});

// The app's own packets, a version back.
const outdated = (page) =>
  page.addInitScript(() => {
    const post = Worker.prototype.postMessage;
    globalThis.speak = null;
    Worker.prototype.postMessage = function (message, transfer) {
      if (message?.v && globalThis.speak !== null && message.id !== null) message.v = globalThis.speak;
      return post.call(this, message, transfer);
    };
  });

withApp("protocol: a request of an old version is refused with the message", { prepare: outdated }, async (app) => {
  await app.page.evaluate(() => (globalThis.speak = 1));
  const { error } = await app.ask("Inspect");
  assert.match(error, /protocol version 1 is not spoken here \(expected \d+\); reload/);
  await app.page.evaluate(() => (globalThis.speak = null));
  const { reply } = await app.ask("Inspect");
  assert.ok(reply.ticks > 0, "the worker goes on");
});

test("protocol: a worker refuses a first message of an old version", async () => {
  const app = await App.open();
  try {
    const answer = await app.page.evaluate(
      ({ entry, glue, module }) =>
        new Promise((resolve, reject) => {
          const worker = new Worker(entry, { type: "module" });
          worker.onerror = (event) => reject(new Error(event.message));
          // It says that it has come up, then what it thinks of the message.
          worker.onmessage = ({ data }) => data.type !== "worker/heartbeat" && resolve({ ...data, payload: [...data.payload] });
          worker.postMessage({ glue, module });
          const payload = new Uint8Array([0, 0, 0, 0]);
          worker.postMessage({ v: 1, type: "worker/init", id: null, traceId: 0, payload, buffers: [] });
        }),
      await app.page.evaluateHandle(() => globalThis.forearmBoot.worker),
    );
    assert.equal(answer.type, "worker/error");
    assert.equal(answer.id, null);
    // The error's last two numbers: the version that was got, and the one that is spoken.
    assert.deepEqual(answer.payload.slice(-2), [1, answer.v]);
  } finally {
    await app.close();
  }
});

const told = async (prepare, expected) => {
  const app = await App.load({ prepare });
  try {
    await app.page.locator("#problem").waitFor({ state: "visible" });
    assert.match(await app.problem(), expected);
  } finally {
    await app.close();
  }
};

test("a browser that can't: draw is told so", () =>
  told(
    (page) =>
      page.addInitScript(() => {
        const get = HTMLCanvasElement.prototype.getContext;
        HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
          return kind === "webgl2" ? null : get.call(this, kind, ...more);
        };
      }),
    /WebGL 2 is missing/,
  ));

test("a browser that can't: run WebAssembly is told so", () => told((page) => page.addInitScript(() => delete globalThis.WebAssembly), /no WebAssembly/));

test("a browser that can't: use vectors is told so", () =>
  told((page) => page.addInitScript(() => (WebAssembly.validate = () => false)), /SIMD/));

test("a browser that can't: reach the site is told so, and can try again", async () => {
  const app = await App.load({ prepare: (page) => page.route(/\.wasm$/, (route) => route.abort()) });
  try {
    await app.page.locator("#problem").waitFor({ state: "visible" });
    assert.match(await app.problem(), /did not arrive/);
    await app.page.unroute(/\.wasm$/);
    await app.page.locator("#again").click();
    await app.running();
  } finally {
    await app.close();
  }
});
