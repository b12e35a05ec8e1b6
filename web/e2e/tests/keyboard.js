// Keys drive the arm as in the native window, and only while they are meant for it.

import assert from "node:assert/strict";

import { onEachHost } from "../harness/tests.js";

const JOINTS = ["shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper"];
/** LeRobot.js's map: key, joint, direction. */
const KEYS = [
  ["ArrowLeft", "shoulder_pan", -1],
  ["ArrowRight", "shoulder_pan", 1],
  ["ArrowUp", "shoulder_lift", 1],
  ["w", "elbow_flex", 1],
  ["d", "wrist_flex", 1],
  ["q", "wrist_roll", -1],
  ["o", "gripper", 1],
];
/** Where the field for the shoulder pan's target is, in a page of 480×320. */
const PAN_FIELD = [413, 239];
/** Eight servo ticks sixty times a second, radians a second. */
const KEY_SPEED = (8 * 60 * 2 * Math.PI) / 4096;

/** Waits until the first arm's joint was told to go this far from where it was told to be. */
function moved(app, joint, from, by) {
  return app.until(
    ([joint, from, by]) => {
      const state = globalThis.forearm.state();
      const gone = state.arms[0].joints[joint].target - from;
      return gone * Math.sign(by) >= Math.abs(by) ? state : null;
    },
    [joint, from, by],
  );
}

const target = (state, joint) => state.arms[0].joints[joint].target;

/** Waits until nothing is told to move any more: three states in a row say the same. */
async function still(app) {
  let before = await app.state();
  for (let equal = 0; equal < 2; ) {
    const now = await app.nextState();
    const same = now.arms[0].joints.every((joint, index) => joint.target === target(before, index));
    equal = same ? equal + 1 : 0;
    before = now;
  }
  return before;
}

onEachHost("keyboard", (use, host) => {
  use("each key moves its joint, its release stops it, and no other moves", async (app) => {
    // One is enough where each takes long: the map is the same.
    for (const [key, name, direction] of host.kind === "worker" ? KEYS : KEYS.slice(0, 1)) {
      const joint = JOINTS.indexOf(name);
      const before = await still(app);
      await app.page.keyboard.down(key);
      await moved(app, joint, target(before, joint), direction * 0.1);
      await app.page.keyboard.up(key);
      const after = await still(app);
      for (const [other, { target: now }] of after.arms[0].joints.entries()) {
        const gone = Math.abs(now - target(before, other));
        assert.ok(other === joint ? gone >= 0.1 : gone === 0, `${key}: ${JOINTS[other]} moved by ${now - target(before, other)}`);
      }
      assert.equal(after.arms[0].mode, "Keyboard");
    }
    app.assertQuiet();
  });

  use("a held key moves as fast as natively", async (app) => {
    const before = await app.state();
    await app.page.keyboard.down("ArrowRight");
    // Beyond the soft start.
    const begin = await moved(app, 0, target(before, 0), 0.3);
    const end = await moved(app, 0, target(begin, 0), 0.3);
    await app.page.keyboard.up("ArrowRight");
    // In the service's own time: ticks of a 120th of a second.
    const speed = (target(end, 0) - target(begin, 0)) / ((end.tick - begin.tick) / 120);
    assert.ok(Math.abs(speed / KEY_SPEED - 1) < 0.05, `${speed} rad/s, not ${KEY_SPEED}`);
  });

  use("typing in a field does not drive the arm", async (app) => {
    const elbow = JOINTS.indexOf("elbow_flex");
    const before = await still(app);
    await app.page.mouse.click(...PAN_FIELD);
    // Nobody types in the same frame.
    await app.frames(3);
    await app.page.keyboard.down("w");
    await app.nextState(30);
    await app.page.keyboard.up("w");
    await app.page.keyboard.press("Backspace");
    await app.page.keyboard.type("20");
    await app.page.keyboard.press("Enter");
    // It was the field that had the keyboard: what was typed is the slider's target now.
    await app.until(() => globalThis.forearm.state().arms[0].mode === "Sliders");
    const after = await moved(app, 0, target(before, 0), 0.2);
    assert.equal(target(after, elbow), target(before, elbow), "the elbow moved");
  });

  use("the emergency stop's key holds the arm until it is cleared", async (app) => {
    await app.page.keyboard.down("ArrowRight");
    await moved(app, 0, target(await app.state(), 0), 0.05);
    await app.page.keyboard.press("Escape");
    await app.until(() => globalThis.forearm.state().e_stopped);
    await still(app);
    await app.page.keyboard.up("ArrowRight");
    await app.toast("Emergency stop");
    await app.request("ClearEStop");
    await app.until(() => !globalThis.forearm.state().e_stopped);
  });

  use("keys are released when the page loses the keyboard", async (app) => {
    await app.page.keyboard.down("ArrowRight");
    await moved(app, 0, target(await app.state(), 0), 0.05);
    await app.page.evaluate(() => document.getElementById("forearm").blur());
    await still(app);
    await app.page.keyboard.up("ArrowRight");
  });

  use("keys are released when the tab is hidden", async (app) => {
    await app.page.keyboard.down("ArrowRight");
    await moved(app, 0, target(await app.state(), 0), 0.05);
    await app.page.evaluate(() => {
      Object.defineProperty(document, "hidden", { value: true, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
      delete document.hidden;
    });
    await still(app);
    await app.page.keyboard.up("ArrowRight");
  });

  use("keys of the page do not scroll it", async (app) => {
    // A page that could scroll.
    await app.page.evaluate(() => {
      document.body.style.overflow = document.documentElement.style.overflow = "auto";
      document.body.style.height = "300vh";
    });
    await app.page.evaluate(() => {
      globalThis.kept = {};
      // Last of all listeners.
      addEventListener("keydown", (event) => (globalThis.kept[event.code] = event.defaultPrevented));
    });
    for (const key of ["ArrowDown", "PageDown", "Space", "End"]) {
      await app.page.keyboard.press(key);
      assert.equal(await app.until((key) => String(globalThis.kept[key] ?? ""), key), "true", `${key} went on to the browser`);
    }
    assert.equal(await app.page.evaluate(() => scrollY), 0);
    await app.page.evaluate(() => {
      for (const element of [document.body, document.documentElement]) element.removeAttribute("style");
    });
  });

  use("the browser keeps its own keys", async (app) => {
    for (const key of ["F5", "Control+l"]) {
      const taken = await app.page.evaluate((key) => {
        const [name, ctrlKey] = key.startsWith("Control+") ? [key.slice(8), true] : [key, false];
        const event = new KeyboardEvent("keydown", { key: name, code: name, ctrlKey, bubbles: true, cancelable: true });
        return !document.getElementById("forearm").dispatchEvent(event);
      }, key);
      assert.equal(taken, false, `${key} was taken from the browser`);
    }
  });
});
