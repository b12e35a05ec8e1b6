// Measures services in a real browser, for `cargo xtask bench web`: how well the control loop keeps
// time in a worker, beside one on the main thread; messages; the start of the app.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { FLAGS, launch, launchKeeping } from "./harness/browser.js";
import { settings, source } from "./harness/settings.js";
import { closeSite, site } from "./harness/site.js";
import { percentile, table } from "./harness/figures.js";

const HZ = 120;
const PERIOD_MS = 1000 / HZ;
const SCENE = source("scenes/pick_and_place.ron");
/** What a driven browser is started with so that nothing is ever slowed down: here it should be. */
const UNTHROTTLED = [
  "--disable-background-timer-throttling",
  "--disable-backgrounding-occluded-windows",
  "--disable-renderer-backgrounding",
];

const pause = (secs) => new Promise((resolve) => setTimeout(resolve, secs * 1e3));
const millis = (value, digits = 2) => `${value.toFixed(digits)} ms`;

/** Opens the page with the control service and no picture. */
async function openLoop(context) {
  const page = await context.newPage();
  await page.goto(`${(await site()).pages}loop.html`);
  await page.waitForFunction(() => globalThis.loop);
  return page;
}

/** Blocks the main thread for 50 ms of every 100, until the page is closed. */
function block(page) {
  return page.evaluate(() => {
    const turn = () => {
      const until = performance.now() + 50;
      while (performance.now() < until);
      setTimeout(turn, 50);
    };
    turn();
  });
}

/** The loop in a worker: what the service itself says of its ticks. */
async function inWorker(page, prepare) {
  await page.evaluate((scene) => {
    loop.open("worker", scene);
    loop.drive();
  }, SCENE);
  await page.waitForFunction(() => loop.state() !== null);
  await prepare(page);
  await page.evaluate(() => loop.request("Start"));
  await pause(settings.seconds);
  const { timing } = await page.evaluate(() => loop.request("Inspect"));
  const host = await page.evaluate(() => loop.host());
  if (host !== "worker") throw new Error(`the service has no worker: ${await page.evaluate(() => loop.said())}`);
  const interval = (deviation) => PERIOD_MS + deviation * 1e3;
  return {
    rate: timing.rate_hz,
    p50: interval(timing.jitter_p50_secs),
    p99: interval(timing.jitter_p99_secs),
    max: interval(timing.jitter_max_secs),
  };
}

/** The loop on the main thread, by a timer or by frames. */
async function onMainThread(page, prepare, how) {
  await page.evaluate((scene) => loop.open("stepped", scene), SCENE);
  await prepare(page);
  await page.evaluate((how) => (globalThis.finish = loop.driveNaively(how)), how);
  await pause(settings.seconds);
  const intervals = await page.evaluate(() => finish());
  // None may have come at all.
  const rate = intervals.length / settings.seconds;
  return { rate, p50: percentile(intervals, 50), p99: percentile(intervals, 99), max: Math.max(...intervals) };
}

/** Measures in a page of its own. */
async function measured(context, measure, prepare, ...more) {
  const page = await openLoop(context);
  try {
    return await measure(page, prepare, ...more);
  } finally {
    await page.close();
  }
}

async function loops() {
  const rows = [["", "rate", "mean error", "p50", "p99", "longest", "missing the rate by"]];
  const add = (name, { rate, p50, p99, max }, worker) => {
    const error = Math.abs(rate / HZ - 1);
    const ratio = worker ? `${(error / Math.max(1e-9, Math.abs(worker.rate / HZ - 1))).toFixed(0)} times as much` : "";
    rows.push([name, `${rate.toFixed(2)} Hz`, `${(error * 100).toFixed(3)} %`, millis(p50), millis(p99), millis(max), ratio]);
  };
  const situation = async (name, context, prepare) => {
    console.log(`the loop, ${name}…`);
    const worker = await measured(context, inWorker, prepare);
    add(`${name}: worker`, worker);
    for (const how of ["timer", "frame"]) {
      add(`${name}: main thread, ${how}s`, await measured(context, onMainThread, prepare, how), worker);
    }
  };
  const browser = await launch();
  try {
    const context = await browser.newContext();
    await situation("idle", context, async () => {});
    await situation("main thread blocked 50 of 100 ms", context, block);
  } finally {
    await browser.close();
  }
  const folder = await mkdtemp(join(tmpdir(), "forearm-bench-"));
  const context = await launchKeeping(folder, { headless: false, ignoreDefaultArgs: UNTHROTTLED, args: FLAGS });
  try {
    await situation("tab hidden", context, (page) => hide(page, context));
  } finally {
    await context.close();
    await rm(folder, { recursive: true, force: true });
  }
  console.log(`\n${HZ} Hz control for ${settings.seconds} s\n${table(rows)}`);
}

/** Puts another tab in front, and makes sure that the browser now slows this one down. */
async function hide(page, context) {
  const front = await context.newPage();
  page.on("close", () => front.close().catch(() => {}));
  await front.bringToFront();
  await page.waitForFunction(() => document.hidden, null, { polling: 500 });
  const gap = await page.evaluate(
    () =>
      new Promise((resolve) => {
        const times = [performance.now()];
        const turn = () => {
          times.push(performance.now());
          // The first may have been set before the tab was hidden.
          if (times.length > 3) resolve(times.at(-1) - times.at(-2));
          else setTimeout(turn, 10);
        };
        setTimeout(turn, 10);
      }),
  );
  if (gap < 900) throw new Error(`the hidden tab is not slowed down: a 10 ms timer came after ${gap} ms`);
}

/** Messages and buffers between the main thread and a worker. */
async function messages() {
  const browser = await launch();
  try {
    const page = await browser.newPage();
    await page.goto(`${(await site()).pages}suite.html`);
    await page.waitForFunction(() => globalThis.suite);
    const ask = (name, count) =>
      page.evaluate(
        async ([name, count]) => {
          const found = await globalThis.suite[name](count);
          return typeof found === "string" ? JSON.parse(found) : found;
        },
        [name, count],
      );
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
  const kilo = (bytes) => `${(bytes / 1e6).toFixed(2)} MB`;
  const rows = [["", "raw", "gzip", "brotli"]];
  for (const { role, bytes, gzip, brotli } of manifest.files) rows.push([role, ...[bytes, gzip, brotli].map(kilo)]);
  console.log(`\nsizes (${manifest.profile ?? manifest.about?.profile})\n${table(rows)}`);
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
