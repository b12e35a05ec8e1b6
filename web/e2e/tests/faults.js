// A worker that throws, traps, hangs or is killed: what was asked fails with the reason, the service
// comes back, the arm holds, and a person is told. Where there is no worker, nothing is made to fail
// that would take the page along.

import assert from "node:assert/strict";

import { App, HOSTS } from "../harness/app.js";
import { onEachHost, test, withApp, withAppOnEachHost } from "../harness/tests.js";

/** How each fault is told. */
const FAULTS = {
  Throw: /crashed \(.*(told to throw)/,
  Trap: /crashed \(.*(unreachable|trap|RuntimeError)/i,
  Hang: /crashed \(.*(no sign of life|silent|hung|hangs)/i,
  Kill: /crashed \(.*/,
};
/** How far an arm may be from where it was when its service crashed, radians. */
const HELD = 1e-3;
/** Pages take faults only when their address says so. */
const ALLOWED = { query: { faults: "on" } };

for (const [fault, told] of Object.entries(FAULTS)) {
  withApp(`a worker that fails: ${fault}: requests fail, control is back, the arm holds`, ALLOWED, async (app) => {
    await takeAPose(app);
    const before = await app.positions();
    const { errors, back, secs } = await app.page.evaluate(failAndAsk, fault);
    assert.ok(errors.length > 0, "requests were in flight");
    for (const error of errors) {
      assert.match(error, told);
      assert.match(error, /`control`.*start it again/);
    }
    assert.equal(back.restarts, 1);
    assert.equal(back.host, "worker");
    // How long it took is for people to read: it depends on the machine.
    console.log(`${fault}: control is back ${secs.toFixed(2)} s after the fault`);
    await app.toast("Control stopped", "the arms hold", "lost");
    await app.toast("Control is back");
    await app.nextState(24);
    const after = await app.positions();
    const off = after.map((position, joint) => Math.abs(position - before[joint]));
    assert.ok(Math.max(...off) < HELD, `joints moved by ${off} rad`);
    await drives(app);
  });
}

test("a worker that fails: one that fails again and again is given up, and says what to do", async () => {
  const app = await App.open(ALLOWED);
  try {
    for (let crash = 0; crash < 6; crash++) {
      await app.until((restarts) => {
        const [control] = globalThis.forearm.services();
        return control.state === "running" && control.restarts === restarts;
      }, crash);
      await app.page.evaluate(() => globalThis.forearm.inject("control", "Throw"));
      await app.until((restarts) => globalThis.forearm.services()[0].restarts > restarts || globalThis.forearm.services()[0].state === "failed", crash);
    }
    const control = await app.service();
    assert.equal(control.state, "failed");
    await app.toast("Control does not run", "F2");
    assert.match((await app.ask("Inspect")).error, /`control` .*start it again/);
  } finally {
    await app.close();
  }
});

withAppOnEachHost(
  "a fault without a worker: it is refused, and the app goes on",
  ALLOWED,
  async (app) => {
    for (const fault of Object.keys(FAULTS)) {
      assert.match(await refusal(app, "control", fault), /making `control` fail .*take the app along/);
    }
    await drives(app);
    assert.equal((await app.service()).state, "running");
    assert.match(await refusal(app, "trials", "Trap"), /making a worker of `trials` fail .*give it work first/);
    await tries(app);
    for (const fault of Object.keys(FAULTS)) {
      assert.match(await refusal(app, "trials", fault), /making `trials` fail .*take the app along/);
    }
    await tries(app);
    await app.nextState(24);
    assert.deepEqual((await app.services()).map(({ name, restarts }) => [name, restarts]), [["control", 0], ["record", 0], ["trials", 0]]);
    app.assertQuiet();
  },
  HOSTS.filter(({ kind }) => kind === "inline"),
);

withApp("a fault that is none, or of nobody: it is refused", ALLOWED, async (app) => {
  assert.match(await refusal(app, "nobody", "Trap"), /there is no such service.*`control`, `record` or `trials`/);
  assert.match(await refusal(app, "control", "Sulk"), /no such fault.*Sulk/);
});

onEachHost("a fault", (use) => {
  use("nobody can make anything fail where the address does not say so", async (app) => {
    assert.equal(await app.page.evaluate(() => typeof globalThis.forearm.inject), "undefined");
  });
});

/** With what words a fault is refused. */
function refusal(app, service, fault) {
  return app.page.evaluate(
    ([service, fault]) => {
      try {
        globalThis.forearm.inject(service, fault);
      } catch (error) {
        return error.message;
      }
      return "it was not refused";
    },
    [service, fault],
  );
}

/** In the page: makes control fail, and asks at once and with every frame until it is back, so that some
 * questions are in flight when it fails. Answers how those failed, and how long it took to be back, seconds. */
async function failAndAsk(fault) {
  const { forearm } = globalThis;
  const control = () => forearm.services().find(({ name }) => name === "control");
  const errors = [];
  const asked = [];
  const ask = () => asked.push(forearm.inspect().catch((error) => errors.push(error.message)));
  const from = performance.now();
  forearm.inject("control", fault);
  // Nobody here can know of the crash yet.
  ask();
  while (control().restarts === 0 || control().state !== "running") {
    await new Promise((resolve) => requestAnimationFrame(resolve));
    ask();
  }
  const secs = (performance.now() - from) / 1e3;
  await Promise.all(asked);
  return { errors, back: control(), secs };
}

/** Moves the arm away from where it begins, and waits until it holds there. */
async function takeAPose(app) {
  const { target } = (await app.state()).arms[0].joints[0];
  await app.page.evaluate(() => globalThis.forearm.command("Key", { arm: 0, key: "ArrowRight", pressed: true }));
  await app.until((from) => globalThis.forearm.state().arms[0].joints[0].target > from + 0.3, target);
  await app.page.evaluate(() => globalThis.forearm.command("ReleaseKeys"));
  await app.until(() => globalThis.forearm.state().arms[0].joints.every(({ velocity }) => Math.abs(velocity) < 1e-4));
}

/** The arm can be driven again. */
async function drives(app) {
  const { target } = (await app.state()).arms[0].joints[0];
  await app.page.locator("#forearm").focus();
  await app.page.keyboard.down("ArrowLeft");
  await app.until((from) => globalThis.forearm.state().arms[0].joints[0].target < from - 0.1, target);
  await app.page.keyboard.up("ArrowLeft");
}

/** The pool answers: a second of a motion. */
async function tries(app) {
  const { steps } = await app.page.evaluate(() => globalThis.forearm.trial({ motion: "pick_and_place", duration_secs: 1 }));
  assert.equal(steps, 500);
}
