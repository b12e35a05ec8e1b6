// Virtual arms for pages: a double of `navigator.serial`, on the page and in its workers, with servos of
// the native program's emulator behind it (`virtual_bus_web`).

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join } from "node:path";

import { site } from "./site.js";

const double = fileURLToPath(new URL("../double", import.meta.url));

/** The motors of an SO-101, in the order of their ids. */
export const MOTORS = ["shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper"];
/** The limits of the arms here when they are calibrated, ticks; a wrist that turns round has all. */
export const RANGE = { low: [700, 800, 800, 900, 0, 1900], high: [3400, 3300, 3300, 3200, 4095, 3400] };

/** The calibration that is in an arm of [`calibrated`]. */
export function calibration({ homing = [], low = RANGE.low, high = RANGE.high } = {}) {
  const motors = MOTORS.map((name, index) => [
    name,
    { id: index + 1, drive_mode: 0, homing_offset: homing[index] ?? 0, range_min: low[index], range_max: high[index] },
  ]);
  return { motors };
}

/** An arm whose motors are calibrated, with its joints in the middle of the encoders. */
export const calibrated = (more = {}) => ({ mount: Array(6).fill(2048), ...RANGE, ...more });

/** An arm as it comes: its horns sit anyhow, its motors are not calibrated. */
export const fresh = (more = {}) => ({ mount: [1200, 2500, 3000, 1800, 2200, 1500], ...more });

/** In the page: the double, and a `Worker` that brings it along. */
function install({ base, arms, onPage, inWorkers }) {
  const RealWorker = globalThis.Worker;
  const device = new RealWorker(`${base}device.js`, { type: "module", name: "virtual arms" });
  device.postMessage({ arms });
  const connect = () => {
    const { port1, port2 } = new MessageChannel();
    device.postMessage({ client: port1 }, [port1]);
    return port2;
  };
  const value = onPage ? globalThis.makeSerialDouble(connect(), true) : undefined;
  Object.defineProperty(navigator, "serial", { value, configurable: true });
  globalThis.Worker = class extends RealWorker {
    constructor(url, options) {
      const first = `${base}${inWorkers ? "in_worker" : "without"}.js`;
      const both = [first, new URL(url, document.baseURI).href];
      const text = both.map((module) => `import ${JSON.stringify(module)};`).join("\n");
      super(URL.createObjectURL(new Blob([text], { type: "text/javascript" })), options);
      if (inWorkers) {
        const port = connect();
        this.postMessage({ serialDouble: port, lock: crypto.randomUUID() }, [port]);
      }
    }
  };
}

/** Puts virtual arms behind `navigator.serial` of a page that is not loaded yet, and of its workers; or
 * takes that away. */
export async function plugIn(page, arms, { onPage = true, inWorkers = true } = {}) {
  const { origin } = await site();
  await page.addInitScript({ content: readFileSync(join(double, "serial.js"), "utf8") });
  await page.addInitScript(install, { base: `${origin}/double/`, arms, onPage, inWorkers });
  const ask = (what, more) =>
    page.evaluate(([what, more]) => navigator.serial.ask(what, more), [what, more]);
  return {
    /** The arm that a person will choose when asked; null for none. */
    choose: (arm) => ask("choose", { arm }),
    /** Pulls an arm's plug or puts it in. */
    plug: (arm, on) => ask("plug", { arm, on }),
    /** Whether somebody has an arm's port open. */
    holds: (arm) => ask("holds", { arm }),
    /** Moves a joint by hand, radians. */
    place: (arm, joint, radians) => ask("servos", { arm, method: "place", args: [joint, radians] }),
    /** Where a joint is, radians. */
    position: (arm, joint) => ask("servos", { arm, method: "position", args: [joint] }),
    /** Which motors drive their joints: bit a joint. */
    torque: (arm) => ask("servos", { arm, method: "torque", args: [] }),
    /** The largest change of a motor's goal at once since this was asked last, radians. */
    largestStep: (arm) => ask("servos", { arm, method: "largest_step", args: [] }),
    /** What a register of a motor holds. */
    register: (arm, id, name) => ask("servos", { arm, method: "register", args: [id, name] }),
  };
}
