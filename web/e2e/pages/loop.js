// The control service in a page of its own, without the app and its picture.

/** How long a frame works for a service that has no thread, milliseconds. */
const BUDGET_MS = 8;
/** The control loop's period, milliseconds. */
const PERIOD_MS = 1000 / 120;

const here = new URL(".", import.meta.url);
const glue = new URL("web_bench/web_bench.js", here).href;
const entry = new URL("../page/worker_entry.js", here).href;

const { default: init, configure, Loop } = await import(glue);
const module = await WebAssembly.compileStreaming(fetch(new URL("web_bench/web_bench_bg.wasm", here)));
await init({ module_or_path: module });
configure(entry, glue, module);

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
      running.pump(0);
    });
    return () => {
      rest();
      return times.slice(1).map((time, index) => time - times[index]);
    };
  },

  /** Moves stepped time on, seconds since the start. */
  advance(secs) {
    running.advance_to(secs);
    running.pump(0);
  },

  host: () => running.host(),
  said: () => running.said(),
  state: () => JSON.parse(running.state() ?? "null"),
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
