// Measures a step of the simulation in a browser, for `cargo xtask bench sim`: as WASM in a worker, called
// step by step; beside it MuJoCo's npm package in another worker, in turn.

import { browser, closeBrowser } from "./harness/browser.js";
import { table } from "./harness/figures.js";
import { settings } from "./harness/settings.js";
import { closeSite, site } from "./harness/site.js";

const WHO = { ours: "Forearm", mujoco: `MuJoCo ${settings.mujoco_version}` };

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function spread(values) {
  return `${median(values).toFixed(2)} (${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)})`;
}

try {
  const page = await (await browser()).newPage();
  page.on("pageerror", (error) => console.error(String(error)));
  await page.goto((await site()).sim);
  await page.waitForFunction(() => globalThis.sim);
  const names = await page.evaluate(() => sim.cases());
  const who = settings.mujoco ? ["ours", "mujoco"] : ["ours"];
  const found = Object.fromEntries(names.map((name) => [name, { ours: [], mujoco: [] }]));
  for (let round = 0; round < settings.rounds; round++) {
    console.log(`in Chromium, round ${round + 1} of ${settings.rounds}`);
    // Who goes first changes every round.
    for (const one of round % 2 ? [...who].reverse() : who) {
      for (const name of names) {
        found[name][one].push(await page.evaluate((asked) => sim.measure(...asked), [one, name, settings.steps]));
      }
    }
  }
  const rows = [["", ...who.map((one) => WHO[one]), ...(settings.mujoco ? ["ratio"] : [])]];
  for (const name of names) {
    const { ours, mujoco } = found[name];
    const ratio = settings.mujoco ? [(median(ours) / median(mujoco)).toFixed(2)] : [];
    rows.push([name, ...who.map((one) => spread(found[name][one])), ...ratio]);
  }
  console.log(`\nµs per step in Chromium, median of ${settings.rounds} rounds (lowest to highest)\n${table(rows)}`);
} finally {
  await closeBrowser();
  await closeSite();
}
