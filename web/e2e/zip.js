// Measures how fast a dataset is packed, for `cargo xtask bench zip`: in the record service's worker, out of
// the browser's private storage; beside it JSZip with as many bytes, in the same page.

import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { launchKeeping } from "./harness/browser.js";
import { table } from "./harness/figures.js";
import { Recording } from "./harness/recording.js";
import { settings } from "./harness/settings.js";
import { closeSite } from "./harness/site.js";

const NAME = "packed";

/** In the page: how long the main thread was away at most while `work` ran, and how long that took. */
async function installMeasure() {
  globalThis.measured = async (work) => {
    const STEP_MS = 4;
    let last = performance.now();
    let longest = 0;
    const timer = setInterval(() => {
      const now = performance.now();
      longest = Math.max(longest, now - last - STEP_MS);
      last = now;
    }, STEP_MS);
    const begun = performance.now();
    const bytes = await work();
    const secs = (performance.now() - begun) / 1e3;
    // A stall at the very end counts, too.
    await new Promise((resolve) => setTimeout(resolve, 2 * STEP_MS));
    clearInterval(timer);
    return { bytes, secs, longest };
  };
}

/** A dataset with an episode, and files of so many megabytes beside it. */
async function prepare(recording, megabytes) {
  await recording.load();
  await recording.openDataset(NAME, { desk: "Pattern" }, { episodes: 1, episode_secs: 0.5 });
  await recording.live();
  await recording.request("Start");
  await recording.phase("Finished");
  await recording.request("Close");
  await recording.page.evaluate(([name, megabytes]) => globalThis.recording.fill(name, megabytes), [NAME, megabytes]);
  await recording.request("Browse", { Storage: NAME });
}

/** In the page: packs as many files of the same size with JSZip. */
async function rival(megabytes) {
  const files = Array.from({ length: megabytes / 4 }, (_, file) => {
    const bytes = new Uint8Array(4 << 20);
    for (let at = 0; at < bytes.length; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536));
    return [`videos/${file}.mp4`, bytes];
  });
  return measured(async () => {
    const zip = new JSZip();
    for (const [path, bytes] of files) zip.file(path, bytes);
    return (await zip.generateAsync({ type: "blob", compression: "STORE" })).size;
  });
}

// As a person has it: the storage is on the disk.
const folder = await mkdtemp(join(tmpdir(), "forearm-bench-"));
const browser = await launchKeeping(folder);
try {
  const page = browser.pages()[0] ?? (await browser.newPage());
  page.on("pageerror", (error) => console.error(String(error)));
  console.log(`preparing a dataset of ${settings.megabytes} MB…`);
  await prepare(new Recording(page), settings.megabytes);
  await page.evaluate(installMeasure);
  if (settings.jszip) await page.addScriptTag({ content: readFileSync(settings.jszip, "utf8") });
  const rows = [["", "MB/s", "longest stall of the page"]];
  const row = (name, { bytes, secs, longest }) => rows.push([name, (bytes / 1e6 / secs).toFixed(0), `${longest.toFixed(1)} ms`]);
  // One after the other: what the one leaves to be collected would be the other's stall.
  for (let round = 0; round < settings.rounds; round++) {
    console.log(`round ${round + 1} of ${settings.rounds}…`);
    row("in the worker", await page.evaluate(() => measured(async () => (await recording.archive()).size)));
  }
  for (let round = 0; settings.jszip && round < settings.rounds; round++) {
    console.log(`JSZip, round ${round + 1} of ${settings.rounds}…`);
    row("JSZip, on the page", await page.evaluate(rival, settings.megabytes));
  }
  console.log(`\n${settings.megabytes} MB packed without compression\n${table(rows)}`);
} finally {
  await browser.close();
  await closeSite();
  await rm(folder, { recursive: true, force: true });
}
