// The environment service in a page of its own, without the app and its picture.

/** How long a frame works for a service that has no worker, milliseconds. */
const BUDGET_MS = 8;

const here = new URL(".", import.meta.url);
const glue = new URL("env_web.js", here).href;
const entry = new URL("worker_entry.js", here).href;

const { default: init, configure, digest, episodes_digest: episodesDigest, Owner, run_suite: runSuite } = await import(glue);
const module = await WebAssembly.compileStreaming(fetch(new URL("env_web_bg.wasm", here)));
await init({ module_or_path: module });
configure(entry, glue, module, new URLSearchParams(location.search).has("forbidden"));

let owner = null;

/** Pumps the service at every frame, as the app does. */
function turn() {
  requestAnimationFrame(turn);
  owner?.pump(BUDGET_MS);
}
turn();

/** What is wrong with a request, and where that was. */
const failure = (error) => ({ error: error.message, stack: error.stack ?? null });

globalThis.environment = {
  /** Requests in the order in which they were answered, by the names that they were given. */
  answered: [],

  /** Starts a service of Forearm's own worlds, or of toys: in a worker, or `inline`. */
  open(host = "worker", toys = false) {
    owner?.free();
    owner = new Owner(host, toys);
    this.answered = [];
  },

  host: () => owner.host(),
  told: () => JSON.parse(owner.told()),
  life: () => JSON.parse(owner.life()),
  inject: (fault) => owner.inject(fault),
  runSuite,
  digest,
  episodesDigest,
  stepSingly: (count, actions) => owner.step_singly(count, new Float32Array(actions)),
  rollOut: (steps, actions) => owner.roll_out(steps, new Float32Array(actions)),

  /** Asks: `Ping`, or a request with fields; numbers in `fields.actions` are sent as a buffer. Answers what
   * was answered or what went wrong; never fails. `name` is for `answered`. */
  async ask(request, fields, name = request) {
    const actions = fields?.actions ? new Float32Array(fields.actions).buffer : undefined;
    const whole = fields === undefined ? request : { [request]: actions ? { agents: [], show: null, ...fields, actions: null } : fields };
    try {
      const promise = owner.request(JSON.stringify(whole), actions);
      const left = actions?.byteLength ?? null;
      const reply = await promise;
      return { reply, left };
    } catch (error) {
      return failure(error);
    } finally {
      this.answered.push(name);
    }
  },

  /** Asks for a picture of the first camera; answers it as a PNG's address, and how many colours it has. */
  async picture() {
    const { reply, error } = await this.ask("Render", { worlds: { One: 0 }, pictures: true });
    if (error) throw new Error(error);
    const [[width, height]] = reply.Render.sizes;
    const { rgba } = reply.buffers;
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width, height });
    const pixels = new Uint8ClampedArray(rgba, 0, 4 * width * height);
    canvas.getContext("2d").putImageData(new ImageData(pixels, width, height), 0, 0);
    const colours = new Set(new Uint32Array(rgba, 0, width * height)).size;
    const opaque = pixels.every((value, index) => index % 4 !== 3 || value === 255);
    return { png: canvas.toDataURL("image/png"), colours, opaque, bytes: rgba.byteLength, width, height };
  },

  /** Beats every `period` milliseconds while `work` is awaited; answers how late each beat was. */
  async beating(period, work) {
    const late = [];
    let due = performance.now() + period;
    const timer = setInterval(() => {
      const now = performance.now();
      late.push(now - due);
      due += period;
    }, period);
    try {
      return { result: await work(), late };
    } finally {
      clearInterval(timer);
    }
  },
};
