// Measures services in a real browser, for `cargo xtask bench web`: how well the control loop keeps
// time in a worker, beside one on the main thread; messages; the start of the app.

import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { FLAGS, launch, launchKeeping } from "./harness/browser.js";
import { table } from "./harness/figures.js";
import { settings } from "./harness/settings.js";
import { closeSite, nextReport, site } from "./harness/site.js";

const HZ = 120;
/** An error of the mean rate below this is none worth dividing by. */
const LEAST = 1e-4;
/** The loops that are compared: where they run, what paces them. */
const LOOPS = { worker: "in a worker", timer: "main thread, timers", frame: "main thread, frames" };

const pause = (secs) => new Promise((resolve) => setTimeout(resolve, secs * 1e3));
const millis = (value, digits = 2) => (Number.isFinite(value) ? `${value.toFixed(digits)} ms` : "never");

/** Measures a loop in a page of its own that is seen. */
async function inSight(browser, how, blocked) {
  const page = await browser.newPage();
  try {
    await page.goto((await site()).loop);
    await page.waitForFunction(() => globalThis.loop?.measure);
    return await page.evaluate(([how, secs, blocked]) => loop.measure(how, secs, blocked), [how, settings.seconds, blocked]);
  } finally {
    await page.close();
  }
}

/** Measures a loop in a tab behind another, in a browser on a screen that nothing drives: whatever
 * drives a browser keeps it from slowing hidden tabs down. */
async function hidden(how) {
  const folder = await mkdtemp(join(tmpdir(), "forearm-bench-"));
  const address = new URL((await site()).loop);
  address.searchParams.set("measure", how);
  address.searchParams.set("secs", settings.seconds);
  const reported = nextReport();
  const quiet = ["--no-default-browser-check", "--password-store=basic", "--disable-sync", "--noerrdialogs"];
  const browser = spawn(settings.chromium, [...FLAGS, ...quiet, `--user-data-dir=${folder}`, "about:blank", address.href], {
    stdio: "ignore",
  });
  try {
    const late = pause(settings.seconds + 60).then(() => {
      throw new Error("the hidden tab reported nothing");
    });
    const { hidden, gap, found, error } = JSON.parse(await Promise.race([reported, late]));
    if (error) throw new Error(error);
    if (!hidden) throw new Error("the tab was not hidden");
    if (gap < 900) throw new Error(`the hidden tab is not slowed down: a timer of 10 ms came after ${gap} ms`);
    return found;
  } finally {
    const ended = new Promise((resolve) => browser.once("exit", resolve));
    browser.kill();
    await ended;
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function loops() {
  const rows = [["", "", "rate", "mean error", "interval p50", "p99", "longest", "error, beside the worker's"]];
  const situation = async (name, measure) => {
    let worker = null;
    for (const [how, where] of Object.entries(LOOPS)) {
      console.log(`${name}: ${where}…`);
      const { rate, p50, p99, max } = await measure(how);
      const error = Math.abs(rate / HZ - 1);
      worker ??= error;
      const ratio = how === "worker" ? "" : `${worker < LEAST ? "over " : ""}${(error / Math.max(worker, LEAST)).toFixed(0)} ×`;
      // Numbers in JSON can't be infinite.
      const cells = [p50, p99, max].map((value) => millis(value ?? Infinity));
      rows.push([how === "worker" ? name : "", where, `${rate.toFixed(2)} Hz`, `${(error * 100).toFixed(4)} %`, ...cells, ratio]);
    }
  };
  const browser = await launch();
  try {
    await situation("idle", (how) => inSight(browser, how, false));
    await situation("main thread blocked 50 of 100 ms", (how) => inSight(browser, how, true));
  } finally {
    await browser.close();
  }
  await situation("tab hidden", hidden);
  console.log(`\n${HZ} Hz control for ${settings.seconds} s\n${table(rows, 2)}`);
}

/** Messages and buffers between the main thread and a worker. */
async function messages() {
  const browser = await launch();
  try {
    const page = await browser.newPage();
    await page.goto((await site()).suite);
    await page.waitForFunction(() => globalThis.suite);
    const ask = (name, count) => page.evaluate(([name, count]) => globalThis.suite[name](count), [name, count]);
    console.log("\nmessages to a worker and back, 2000 of them");
    console.log(table(figures(await ask("echo_round_trips", 2000))));
    console.log("\npictures of 640×480 RGBA handed to a worker and back, 500 of them");
    console.log(table(figures(await ask("frame_hand_over", 500))));
  } finally {
    await browser.close();
  }
}

/** An object of milliseconds as rows. */
function figures(found) {
  return Object.entries(found).map(([name, value]) => [name, typeof value === "number" ? value.toFixed(3) : String(value)]);
}

/** The real app, from navigation to the first key that moves the arm. */
async function start() {
  const rows = [["", "downloaded and compiled", "started", "first picture", "key to motion"]];
  const folder = await mkdtemp(join(tmpdir(), "forearm-bench-"));
  try {
    for (const name of ["first visit", "second visit", "third visit"]) {
      const context = await launchKeeping(folder, { viewport: { width: 480, height: 320 } });
      const page = context.pages()[0] ?? (await context.newPage());
      await page.goto((await site()).compressed);
      const { marks, moved } = await page.evaluate(firstKey);
      rows.push([name, ...marks.map((mark) => millis(mark, 0)), millis(moved, 0)]);
      // Compiled modules are kept when the browser has time.
      await pause(3);
      await context.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  console.log(`\nthe app's start, milliseconds after navigation (480×320, drawn by the processor)\n${table(rows)}`);
}

/** In the page: waits for the first picture, presses a key, waits until the arm is told to move. */
async function firstKey() {
  const at = (name) => performance.getEntriesByName(`forearm:${name}`)[0]?.startTime;
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  while (at("ready") === undefined) await frame();
  while (globalThis.forearm.state() === null) await frame();
  const pan = () => globalThis.forearm.state().arms[0].joints[0].target;
  const before = pan();
  const pressed = performance.now();
  const canvas = document.getElementById("forearm");
  const press = (kind) => canvas.dispatchEvent(new KeyboardEvent(kind, { key: "ArrowRight", code: "ArrowRight", bubbles: true, cancelable: true }));
  press("keydown");
  while (pan() === before) await frame();
  press("keyup");
  return { marks: ["compiled", "started", "ready"].map(at), moved: performance.now() - pressed };
}

async function sizes() {
  const manifest = await (await fetch(`${(await site()).site}manifest.json`)).json();
  const size = (bytes) => (bytes < 1e5 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(2)} MB`);
  const rows = [["", "raw", "gzip", "brotli"]];
  for (const { role, bytes, gzip, brotli } of manifest.files) rows.push([role, ...[bytes, gzip, brotli].map(size)]);
  console.log(`\nsizes (${manifest.profile})\n${table(rows)}`);
}

try {
  await loops();
  if (settings.suite) await messages();
  if (settings.site) {
    await sizes();
    await start();
  }
} finally {
  await closeSite();
}
