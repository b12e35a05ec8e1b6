// All end-to-end tests, in one process with one browser: `cargo xtask e2e` runs this with Node's test
// runner.

import { after } from "node:test";

import { closeBrowser } from "./harness/browser.js";
import { declareShared, leaveShared } from "./harness/tests.js";
import { closeSite } from "./harness/site.js";

import "./tests/start.js";
import "./tests/keyboard.js";
import "./tests/motion.js";
import "./tests/faults.js";
import "./tests/refusals.js";
import "./tests/settings.js";
import "./tests/determinism.js";
import "./tests/long_tasks.js";
import "./tests/serial.js";
import "./tests/suite.js";
import "./tests/cameras.js";
import "./tests/record.js";
import "./tests/environment.js";

declareShared();

after(async () => {
  await leaveShared();
  await closeBrowser();
  await closeSite();
});
