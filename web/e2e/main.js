// All end-to-end tests, in one process with one browser: `cargo xtask e2e` runs this with Node's test
// runner. A name filter is given to Node (`--test-name-pattern`).

import { after } from "node:test";

import { closeBrowser } from "./harness/browser.js";
import { closeSite } from "./harness/site.js";

import "./tests/start.js";
import "./tests/keyboard.js";
import "./tests/motion.js";
import "./tests/faults.js";
import "./tests/refusals.js";
import "./tests/settings.js";
import "./tests/determinism.js";
import "./tests/main_thread.js";
import "./tests/suite.js";

after(async () => {
  await closeBrowser();
  await closeSite();
});
