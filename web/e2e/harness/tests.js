// How a test of the app is written: it gets an open app, and a failure leaves a picture.

import { after, describe, test } from "node:test";

import { App, HOSTS } from "./app.js";

/** Twice, once a host: `tests(use, host)` declares tests with `use(name, async (app) => …)`. They share
 * one page, put back to its beginning before each. */
export function onEachHost(title, tests, options = {}) {
  for (const host of HOSTS) {
    describe(`${title}, services ${host.name}`, () => {
      const shared = sharedApp({ ...options, query: { ...host.query, ...options.query } });
      after(() => shared.close());
      tests((name, body) => {
        test(name, async () => {
          const app = await shared.get();
          await guarded(`${title} ${host.kind} ${name}`, app, body);
        });
      }, host);
    });
  }
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

/** Runs a test's body; a failure tells where its picture is and what the console said. */
async function guarded(name, app, body) {
  try {
    await body(app);
  } catch (error) {
    error.message += `\nleft: ${await app.leave(name)}`;
    // The assertion's own text is kept in the stack.
    error.stack = `${error.message}\n${error.stack}`;
    throw error;
  }
}

function sharedApp(options) {
  let opened = null;
  return {
    async get() {
      if (opened) {
        const app = await opened;
        app.complaints.length = 0;
        await app.reset();
        return app;
      }
      opened = App.open(options);
      opened.catch(() => (opened = null));
      return opened;
    },
    async close() {
      await (await opened)?.close();
    },
  };
}
