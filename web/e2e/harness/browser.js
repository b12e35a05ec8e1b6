// One browser for all tests: Chromium, drawing in software.

import { createRequire } from "node:module";
import { join } from "node:path";

import { settings } from "./settings.js";

const require = createRequire(join(settings.modules, "package.json"));
const { chromium } = require("playwright-core");

/** What a browser without a screen and a graphics card is started with. */
export const FLAGS = [
  "--no-sandbox",
  "--use-angle=swiftshader",
  "--enable-unsafe-swiftshader",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // A camera that everybody may use, and that is none.
  "--use-fake-device-for-media-stream",
  "--use-fake-ui-for-media-stream",
];

let running = null;

/** Starts a browser. */
export function launch(options = {}) {
  return chromium.launch({ executablePath: settings.chromium, headless: true, args: FLAGS, ...options });
}

/** Starts a browser that keeps its storage and caches in a folder. */
export function launchKeeping(folder, options = {}) {
  return chromium.launchPersistentContext(folder, {
    executablePath: settings.chromium,
    headless: true,
    args: FLAGS,
    ...options,
  });
}

/** The browser that tests share; started when it is first asked for. */
export function browser() {
  running ??= launch();
  return running;
}

/** Ends the shared browser. */
export async function closeBrowser() {
  const browser = await running;
  running = null;
  await browser?.close();
}
