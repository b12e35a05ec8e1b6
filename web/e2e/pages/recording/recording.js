// Control and record service in a page of their own, without the app and its picture.

/** How long a frame works for a service that has no thread, milliseconds. */
const BUDGET_MS = 8;

const here = new URL(".", import.meta.url);
const glue = new URL("record_web.js", here).href;
const entry = new URL("worker_entry.js", here).href;

const { default: init, configure, Filler, Studio } = await import(glue);
const module = await WebAssembly.compileStreaming(fetch(new URL("record_web_bg.wasm", here)));
await init({ module_or_path: module });
configure(entry, glue, module, new URLSearchParams(location.search).get("camera") === "video");

let studio = null;

/** Pumps the services at every frame, as the app does. */
function turn() {
  requestAnimationFrame(turn);
  studio?.pump(BUDGET_MS);
}
turn();

const parse = (text) => JSON.parse(text ?? "null");
const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));

globalThis.recording = {
  /** Starts both: `worker` or `inline`, of a scene file's text, with a motion's text. */
  open(host, scene, motion) {
    studio?.free();
    studio = new Studio(host, scene, motion);
  },

  host: () => studio.host(),
  restarts: () => studio.restarts(),
  kill: () => studio.kill(),
  said: () => studio.said(),
  state: () => parse(studio.state()),
  dataset: () => parse(studio.dataset()),
  previews: () => parse(studio.previews()),
  progress: () => studio.progress(),
  command: (command) => studio.command(JSON.stringify(command)),
  drive: (request) => studio.drive(JSON.stringify(request)),
  request: (request) => studio.request(JSON.stringify(request)),

  /** Writes files of so many megabytes into a dataset that nobody has open, in a worker. */
  async fill(name, megabytes) {
    const filler = new Filler(name, megabytes);
    const pump = setInterval(() => filler.pump(), 10);
    try {
      await filler.done();
    } finally {
      clearInterval(pump);
      filler.free();
    }
  },

  /** Packs the dataset; answers the archive. */
  async archive(window = 8 << 20) {
    studio.collect();
    let packed = null;
    let failed = null;
    this.request({ Export: { file: null, window_bytes: window } }).then(
      (reply) => (packed = reply.Exported),
      (error) => (failed = error),
    );
    while (!failed && (!packed || studio.collected() < packed.bytes)) await frame();
    if (failed) throw failed;
    return studio.archive();
  },

  /** Has the browser save the dataset that is open. */
  async download(name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await this.archive());
    link.download = name;
    link.click();
  },
};
