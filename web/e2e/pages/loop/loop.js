// The control service in a page of its own, without the app and its picture.

/** How long a frame works for a service that has no thread, milliseconds. */
const BUDGET_MS = 8;
/** The control loop's period, milliseconds. */
const PERIOD_MS = 1000 / 120;

const here = new URL(".", import.meta.url);
const glue = new URL("web_bench.js", here).href;
const entry = new URL("worker_entry.js", here).href;

const { default: init, configure, Loop } = await import(glue);
const module = await WebAssembly.compileStreaming(fetch(new URL("web_bench_bg.wasm", here)));
await init({ module_or_path: module });
configure(entry, glue, module, new URLSearchParams(location.search).get("serial") === "bridge");

let running = null;
/** Ends what pumps the service at present. */
let rest = () => {};

/** Calls `work` at every frame, or by a timer of the loop's own period. Answers what ends that. */
function repeat(how, work) {
  let goes = true;
  const again = how === "timer" ? () => setTimeout(turn, PERIOD_MS) : () => requestAnimationFrame(turn);
  function turn() {
    if (!goes) return;
    again();
    work();
  }
  again();
  return () => (goes = false);
}

globalThis.loop = {
  /** Starts a service: `worker`, `inline` or `stepped`, of a scene file's text, with a motion's text. */
  open(host, scene, motion, secs) {
    rest();
    running?.free();
    running = new Loop(host, scene, motion, secs);
  },

  /** Pumps it at every frame, as the app does. */
  drive() {
    rest();
    rest = repeat("frame", () => running.pump(BUDGET_MS));
  },

  /** Ticks a stepped one as a page without workers would: once each time that a `timer` or a `frame`
   * comes. Answers what ends that, and then how long the intervals were, milliseconds. */
  driveNaively(how) {
    rest();
    const times = [];
    rest = repeat(how, () => {
      times.push(performance.now());
      running.advance_to(times.length / 120);
      running.pump(BUDGET_MS);
    });
    return () => {
      rest();
      return times.slice(1).map((time, index) => time - times[index]);
    };
  },

  /** Moves stepped time on, seconds since the start. */
  advance(secs) {
    running.advance_to(secs);
    running.pump(BUDGET_MS);
  },

  host: () => running.host(),
  said: () => running.said(),
  state: () => JSON.parse(running.state() ?? "null"),
  /** The last word of a guided calibration. */
  calibration: () => JSON.parse(running.calibration() ?? "null"),
  command: (command) => running.command(JSON.stringify(command)),

  /** Asks; the answer comes whether or not frames do. */
  async request(request) {
    const answer = running.request(JSON.stringify(request));
    const pump = setInterval(() => running.pump(BUDGET_MS), 10);
    try {
      const text = await answer;
      return text === undefined ? null : JSON.parse(text);
    } finally {
      clearInterval(pump);
    }
  },
};

const sleep = (secs) => new Promise((resolve) => setTimeout(resolve, secs * 1e3));

/** Blocks the main thread for 50 ms of every 100, for as long as the page lives. */
function block() {
  const until = performance.now() + 50;
  while (performance.now() < until);
  setTimeout(block, 50);
}

/** How long a timer of 10 ms takes now, milliseconds: browsers slow hidden tabs down. */
async function timerGap() {
  const times = [];
  for (let turn = 0; turn < 4; turn++) {
    await sleep(0.01);
    times.push(performance.now());
  }
  return times[3] - times[2];
}

/** Measures how a loop keeps time for `secs`: `worker`, as the service itself says; `timer` or `frame`,
 * on the main thread. Answers `{ rate, p50, p99, max }`, Hz and milliseconds of an interval. */
async function measure(how, secs, blocked) {
  const scene = await (await fetch("/repository/scenes/pick_and_place.ron")).text();
  const { open, drive, driveNaively, request, state, host, said } = globalThis.loop;
  if (how === "worker") {
    open("worker", scene);
    drive();
    await request("Inspect");
    if (host() !== "worker") throw new Error(`the service has no worker: ${said()}`);
    if (blocked) block();
    await request("Start");
    await sleep(secs);
    const { timing } = await request("Inspect");
    const interval = (deviation) => PERIOD_MS + deviation * 1e3;
    return {
      rate: timing.rate_hz,
      p50: interval(timing.jitter_p50_secs),
      p99: interval(timing.jitter_p99_secs),
      max: interval(timing.jitter_max_secs),
    };
  }
  open("stepped", scene);
  if (blocked) block();
  const begin = performance.now();
  const finish = driveNaively(how);
  await sleep(secs);
  const elapsed = (performance.now() - begin) / 1e3;
  const intervals = finish().sort((a, b) => a - b);
  const share = (percent) => intervals[Math.max(0, Math.ceil((intervals.length * percent) / 100) - 1)] ?? Infinity;
  return { rate: intervals.length / elapsed, p50: share(50), p99: share(99), max: share(100) };
}

globalThis.loop.measure = measure;

// A tab that nobody looks at, and nobody drives: it reports by itself.
const asked = new URLSearchParams(location.search);
if (asked.has("measure")) {
  let report;
  try {
    const gap = await timerGap();
    const found = await measure(asked.get("measure"), Number(asked.get("secs")), false);
    report = { hidden: document.hidden, gap, found };
  } catch (error) {
    report = { error: String(error) };
  }
  await fetch("/report", { method: "POST", body: JSON.stringify(report) });
}
