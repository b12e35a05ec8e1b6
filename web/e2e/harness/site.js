// What the tests' server serves, and under which addresses.

import { fileURLToPath } from "node:url";
import { join } from "node:path";

import { serve } from "./server.js";
import { settings } from "./settings.js";

const pages = fileURLToPath(new URL("../pages", import.meta.url));
let serving = null;

/** What makes a browser isolate a page. */
const ISOLATING = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};
/** Whether `changing` has these headers at present. */
let isolates = false;

/** From now on `changing` has the headers that isolate a page, or has none. */
export function isolate(on) {
  isolates = on;
}

/** Addresses of: `site`, the app below a path that nobody had in mind; `strict`, the same where pages
 * may not start workers; `changing`, the same with the headers that `isolate` says; `compressed`, the same
 * packed for the way; `loop`, the control service without a picture; `suite`, the runtime's own
 * cases; `vision`, cameras and codecs; `recording`, the record service without a picture; `environment`,
  * the environment service; `sim`, the simulation alone, and MuJoCo; `/double/`, virtual arms;
  * `/repository/`, its scenes and fixtures. */
export async function site() {
  serving ??= begin();
  const { origin } = await serving;
  return {
    origin,
    site: `${origin}/any/path/at all/`,
    strict: `${origin}/strict/`,
    changing: `${origin}/changing/`,
    compressed: `${origin}/compressed/`,
    loop: `${origin}/loop/`,
    suite: `${origin}/suite/`,
    vision: `${origin}/vision/`,
    recording: `${origin}/recording/`,
    sim: `${origin}/sim/`,
    environment: `${origin}/environment/`,
  };
}

function begin() {
  const inRepository = (folder) => join(settings.root, folder);
  const page = inRepository("web/page");
  const places = {
    "/repository/scenes/": { folders: [inRepository("scenes")] },
    "/repository/tests/fixtures/": { folders: [inRepository("tests/fixtures")] },
  };
  if (settings.site) {
    const folders = [settings.site];
    places["/any/path/at all/"] = { folders };
    places["/strict/"] = { folders, headers: { "content-security-policy": "worker-src 'none'" } };
    places["/changing/"] = {
      folders,
      get headers() {
        return isolates ? ISOLATING : {};
      },
    };
    places["/compressed/"] = { folders, compressed: true };
  }
  if (settings.web_bench) places["/loop/"] = { folders: [settings.web_bench, join(pages, "loop"), page] };
  if (settings.virtual_bus_web) places["/double/"] = { folders: [settings.virtual_bus_web, inRepository("web/e2e/double")] };
  if (settings.vision_web) places["/vision/"] = { folders: [settings.vision_web, join(pages, "vision")] };
  if (settings.record_web) places["/recording/"] = { folders: [settings.record_web, join(pages, "recording"), page] };
  if (settings.sim_bench) places["/sim/"] = { folders: [settings.sim_bench, join(pages, "sim")] };
  if (settings.mujoco) places["/sim/mujoco/"] = { folders: [settings.mujoco] };
  if (settings.env_web) places["/environment/"] = { folders: [settings.env_web, join(pages, "environment"), page] };
  if (settings.suite) places["/suite/"] = { folders: [settings.suite, join(pages, "suite"), page] };
  return serve(places, (text) => waiting.shift()?.(text));
}

/** Who waits for reports. */
const waiting = [];

/** What a page posts to `/report` next. */
export function nextReport() {
  return new Promise((resolve) => waiting.push(resolve));
}

/** Ends the server. */
export async function closeSite() {
  const server = await serving;
  serving = null;
  await server?.close();
}
