// Cameras, encoder and decoder in a page of their own, without the app and without the record service.

const here = new URL(".", import.meta.url);
const { default: init, offer, Cameras, Reel } = await import(new URL("vision_web.js", here).href);
await init({ module_or_path: new URL("vision_web_bg.wasm", here) });
offer(new URLSearchParams(location.search).get("camera") === "video");

const PATIENCE_MS = 20_000;
const turn = () => new Promise((resolve) => setTimeout(resolve, 5));

/** Waits until `holds()` answers something; answers it, or null when it takes too long. */
async function until(holds) {
  for (const end = performance.now() + PATIENCE_MS; performance.now() < end; await turn()) {
    const found = holds();
    if (found) return found;
  }
  return null;
}

globalThis.vision = {
  /** The cameras that the page knows: `[{ id, label, modes }]`. */
  async cameras() {
    const listing = new Cameras();
    const told = await until(() => listing.poll());
    listing.free();
    const cameras = [];
    for (let place = 0; place < told.length; place += 3) {
      cameras.push({ id: told[place], label: told[place + 1], modes: Number(told[place + 2]) });
    }
    return cameras;
  },

  /** Takes so many frames of a camera through encoder and decoder; answers what came of it. `meanwhile`
   * is called once, in the middle; then a camera that is lost is waited for. */
  async record(source, { width = 640, height = 480, rows = 30, meanwhile = null } = {}) {
    const patient = meanwhile !== null;
    const reel = new Reel(source, width, height);
    try {
      let ended = false;
      const done = await until(() => {
        reel.turn(rows);
        const state = JSON.parse(reel.state());
        if (meanwhile && state.rows > rows / 2) {
          meanwhile();
          meanwhile = null;
        }
        if (state.packets >= rows && !ended) {
          reel.finish();
          ended = true;
        }
        return state.pictures >= rows || (!patient && state.health.startsWith("lost")) ? state : null;
      });
      return { ...(done ?? JSON.parse(reel.state())), inTime: done !== null, wrong: reel.wrong(), stamps: [...reel.stamps()] };
    } finally {
      reel.free();
    }
  },
};
