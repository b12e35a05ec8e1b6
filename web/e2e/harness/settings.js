// Where things are: `cargo xtask e2e` says so in the environment, in one JSON object.
//
// `site`: the folder that `cargo xtask web` made. `suite`, `web_bench`, `virtual_bus_web`: folders with the
// linked examples (`suite.js`, …), or null. `app`: the native program, or null. `env_digest`: what short
// episodes come to natively, or null. `chromium`: the browser. `modules`: the folder with `node_modules`. `root`: the repository. `left`: where pictures of
// failures go.

import { readFileSync } from "node:fs";
import { join } from "node:path";

const text = process.env.FOREARM_E2E;
if (!text) {
  throw new Error("these tests are started by `cargo xtask e2e`: the environment has no FOREARM_E2E");
}

/** Where things are. */
export const settings = JSON.parse(text);

/** The text of a file of the repository. */
export function source(path) {
  return readFileSync(join(settings.root, path), "utf8");
}
