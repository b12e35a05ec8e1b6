// How tests are declared: with or without an open app, once or once a host. A failure tells where its
// picture is and what the console said.

import { test as declare } from "node:test";

import { App, HOSTS } from "./app.js";
import { settings } from "./settings.js";

/** A test that takes longer than this hangs, milliseconds. */
const TIMEOUT = 120_000;
const filter = (settings.filter ?? "").toLowerCase();
/** What is to be tested on each host. */
const groups = [];
/** The open page that tests share, and its host: one at a time, for each draws in software. */
let shared = null;

/** A test on its own. */
export function test(name, options, body = options) {
  if (!name.toLowerCase().includes(filter)) return;
  declare(name, { timeout: TIMEOUT, ...(body === options ? {} : options) }, async (context) => {
    await leaveShared();
    await body(context);
  });
}

/** A test with a page of its own, opened as `options` say. */
export function withApp(name, options, body) {
  test(name, async () => {
    const app = await App.open(options);
    try {
      await guarded(name, app, body);
    } finally {
      await app.close();
    }
  });
}

/** Once a host, with a page of its own each time, opened as `options` and the host say:
 * `body(app, host)`. */
export function withAppOnEachHost(name, options, body, hosts = HOSTS) {
  for (const host of hosts) {
    const query = { ...options.query, ...host.options.query };
    withApp(`${name}; services ${host.name}`, { ...options, ...host.options, query }, (app) => body(app, host));
  }
}

/** Once a host: `tests(use, host)` declares tests with `use(name, async (app) => …)`. All of a
 * host share a page, put back to its beginning before each. */
export function onEachHost(title, tests) {
  groups.push({ title, tests });
}

/** Declares the tests that share a page, host by host. */
export function declareShared() {
  for (const host of HOSTS) {
    for (const { title, tests } of groups) {
      tests((what, body) => {
        const name = `${title}, services ${host.name}: ${what}`;
        if (!name.toLowerCase().includes(filter)) return;
        declare(name, { timeout: TIMEOUT }, async () => guarded(name, await share(host), body));
      }, host);
    }
  }
}

/** The shared page of this host, at its beginning. */
async function share(host) {
  if (shared?.host === host) {
    const { app } = shared;
    app.complaints.length = 0;
    await app.reset();
    return app;
  }
  await leaveShared();
  const app = await App.open(host.options);
  shared = { host, app };
  return app;
}

/** Closes the shared page, if one is open. */
export async function leaveShared() {
  const left = shared;
  shared = null;
  await left?.app.close();
}

async function guarded(name, app, body) {
  try {
    await body(app);
  } catch (error) {
    const left = await app.leave(name);
    // What a page is like after a failure, nobody knows.
    if (shared?.app === app) await leaveShared();
    throw new Error(`${error.stack ?? error}\nleft: ${left}`);
  }
}
