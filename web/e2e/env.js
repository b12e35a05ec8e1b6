// Measures environments in a browser tab's worker, for `cargo xtask bench env`: steps a second of one world,
// with a request each and with many steps a request, and of many worlds. Prints one JSON object on the
// last line: steps of worlds a second.

import { closeBrowser } from "./harness/browser.js";
import { ask, init, openEnvironment } from "./harness/environment.js";
import { settings } from "./harness/settings.js";
import { closeSite } from "./harness/site.js";

/** Measured several times; the best counts, for nothing makes a step faster than it is. */
const ROUNDS = settings.rounds ?? 3;
const STEPS = settings.steps ?? 1000;
const WORLDS = settings.worlds ?? 64;

const best = async (work) => {
  let secs = Infinity;
  for (let round = 0; round < ROUNDS; round++) secs = Math.min(secs, await work());
  return secs;
};

const { page } = await openEnvironment();
try {
  await page.evaluate(() => environment.open());
  const figures = {};
  for (const task of settings.tasks ?? ["reach", "push", "pick-place"]) {
    const row = Array(6).fill(0.05);
    const reset = { seed: 1, worlds: "All", show: null };
    await ask(page, "Init", init(task));
    await ask(page, "Reset", reset);
    const single = await best(() => page.evaluate(([steps, row]) => environment.stepSingly(steps, row), [STEPS, row]));
    await ask(page, "Reset", reset);
    const rollout = await best(() => page.evaluate(([steps, row]) => environment.rollOut(steps, row), [STEPS, row]));
    await ask(page, "Init", init(task, WORLDS));
    await ask(page, "Reset", reset);
    const steps = Math.ceil(STEPS / WORLDS);
    const rows = Array(6 * WORLDS).fill(0.05);
    const batch = await best(() => page.evaluate(([steps, row]) => environment.rollOut(steps, row), [steps, rows]));
    figures[task] = { single: STEPS / single, rollout: STEPS / rollout, batch: (steps * WORLDS) / batch };
    for (const [name, value] of Object.entries(figures[task])) console.log(`${task} ${name}: ${value.toFixed(0)} steps/s`);
  }
  console.log(JSON.stringify(figures));
} finally {
  await closeBrowser();
  await closeSite();
}
