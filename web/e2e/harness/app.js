// The app in a page, as tests see it: opens it, waits for what it says of itself, and keeps what the
// page complained of.
//
// Nothing here waits for time to pass: every wait is for something that the app tells.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { browser } from "./browser.js";
import { settings } from "./settings.js";
import { site } from "./site.js";

/** Longer than anything takes on a slow machine that draws in software, milliseconds. */
export const PATIENCE = 45_000;
/** Small pictures: the processor draws them. */
const SMALL = { width: 480, height: 320 };

/** The ways in which services run: `kind` is what they call themselves, `options` open a page where
 * it is so. */
export const HOSTS = [
  { name: "in a worker", kind: "worker", options: {} },
  { name: "on the main thread", kind: "inline", options: { query: { workers: "off" } } },
  {
    name: "where workers are forbidden",
    kind: "inline",
    // The browser says each time that it keeps to the policy.
    options: { place: "strict", expected: /Content Security Policy directive: "worker-src/ },
  },
];

/** In the page: keeps every toast, also those that are gone by the time a slow machine is asked. */
function rememberToasts() {
  globalThis.toastsShown = new Set();
  setInterval(() => globalThis.forearm?.toasts?.().forEach((text) => globalThis.toastsShown.add(text)), 50);
}

/** An open page with the app in it. */
export class App {
  constructor(page, context, expected) {
    this.page = page;
    this.context = context;
    /** What the console and the page complained of. */
    this.complaints = [];
    /** All that the console said. */
    this.said = [];
    page.on("console", (message) => {
      this.said.push(`[${message.type()}] ${message.text()}`);
      if (message.type() === "error" && !expected?.test(message.text())) this.complaints.push(message.text());
    });
    page.on("pageerror", (error) => this.complaints.push(String(error.stack ?? error)));
    page.on("crash", () => this.complaints.push("the page crashed"));
  }

  /** Opens the app and waits for its first picture. `prepare(page)` runs before the page is loaded. */
  static async open({ wait = "running", ...options } = {}) {
    const app = await App.load(options);
    try {
      if (wait === "running") await app.running();
    } catch (error) {
      await app.close();
      throw error;
    }
    return app;
  }

  /** Opens the page and waits for nothing. What the console says in words that are `expected` is no
   * complaint. */
  static async load({ query = {}, hash = "", place = "site", expected, viewport = SMALL, context: use, prepare, ...more } = {}) {
    const context = use ?? (await (await browser()).newContext({ viewport, ...more }));
    const app = new App(await context.newPage(), use ? null : context, expected);
    app.page.setDefaultTimeout(PATIENCE);
    await app.page.addInitScript(rememberToasts);
    await prepare?.(app.page);
    const address = new URL((await site())[place]);
    for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value);
    address.hash = hash;
    const response = await app.page.goto(address.href);
    assert.ok(response.ok(), `${address.href}: ${response.status()}`);
    return app;
  }

  /** Waits for the first picture; fails with what the page says instead. */
  async running() {
    await this.page.waitForFunction(
      () => document.getElementById("problem")?.hidden === false || performance.getEntriesByName("forearm:ready").length > 0,
    );
    const problem = await this.problem();
    assert.equal(problem, null, `the app did not start: ${problem}\n${this.said.join("\n")}`);
    await this.until(() => globalThis.forearm.state() !== null);
  }

  /** What the page says has gone wrong; null if nothing has. */
  problem() {
    return this.page.evaluate(() =>
      document.getElementById("problem").hidden
        ? null
        : ["what", "why", "details"].map((id) => document.getElementById(id).textContent).join("\n"),
    );
  }

  /** Waits until `holds(argument)`, evaluated in the page, is true; answers what it is. */
  async until(holds, argument, options = {}) {
    const handle = await this.page.waitForFunction(holds, argument, { polling: 20, timeout: PATIENCE, ...options });
    return handle.jsonValue();
  }

  /** The latest state of everything. */
  state() {
    return this.page.evaluate(() => globalThis.forearm.state());
  }

  /** A state that the service told later than any that is known here now. */
  async nextState(ticks = 1) {
    const { tick } = await this.state();
    return this.until(
      (after) => {
        const state = globalThis.forearm.state();
        return state && state.tick >= after ? state : null;
      },
      tick + ticks,
    );
  }

  /** Waits until so many pictures have been drawn. */
  frames(count) {
    return this.page.evaluate(async (count) => {
      for (let frame = 0; frame < count; frame++) await new Promise((resolve) => requestAnimationFrame(resolve));
    }, count);
  }

  /** Where the first arm's joints are, radians. */
  async positions() {
    return (await this.state()).arms[0].joints.map((joint) => joint.position);
  }

  /** How the services do. */
  services() {
    return this.page.evaluate(() => globalThis.forearm.services());
  }

  /** How a service does. */
  async service(name = "control") {
    const services = await this.services();
    const found = services.find((service) => service.name === name);
    assert.ok(found, `no service ${name}: ${JSON.stringify(services)}`);
    return found;
  }

  /** Asks the control service; answers `{ reply }` or `{ error }`. */
  ask(name, fields) {
    return this.page.evaluate(
      ([name, fields]) =>
        globalThis.forearm.request(name, fields ?? undefined).then(
          (reply) => ({ reply: reply ?? null }),
          (error) => ({ error: error.message }),
        ),
      [name, fields ?? null],
    );
  }

  /** Asks the control service, which must not refuse. */
  async request(name, fields) {
    const { reply, error } = await this.ask(name, fields);
    assert.equal(error, undefined, `${name}: ${error}`);
    return reply;
  }

  /** What a run has come to. */
  inspect() {
    return this.page.evaluate(() => globalThis.forearm.inspect());
  }

  /** The texts of the toasts on show. */
  toasts() {
    return this.page.evaluate(() => globalThis.forearm.toasts());
  }

  /** Waits for a toast, or finds one that was shown, whose text has all of these in it; answers it. */
  async toast(...parts) {
    const found = (parts) => [...globalThis.toastsShown].find((text) => parts.every((part) => text.includes(part)));
    try {
      return await this.until(found, parts);
    } catch {
      const shown = await this.page.evaluate(() => [...globalThis.toastsShown]);
      throw new Error(`no toast says ${JSON.stringify(parts)}; these were shown: ${JSON.stringify(shown)}`);
    }
  }

  /** Puts everything back to where a fresh page begins. */
  async reset() {
    await this.page.evaluate(async () => {
      const { forearm } = globalThis;
      globalThis.toastsShown.clear();
      forearm.command("ReleaseKeys");
      const asked = [["ClearEStop"], ["SetMode", { arm: 0, mode: "Keyboard" }], ["ResetScene"], ["Start"]];
      await Promise.all(asked.map(([name, fields]) => forearm.request(name, fields)));
      // What was told before these answers is read with the next frame.
      for (let frame = 0; frame < 2; frame++) await new Promise((resolve) => requestAnimationFrame(resolve));
      document.getElementById("forearm").focus();
    });
    await this.nextState();
  }

  /** Fails if the console or the page complained of anything. */
  assertQuiet() {
    assert.deepEqual(this.complaints, []);
  }

  /** Leaves a picture of the page and all that its console said, for whoever looks into a failure. */
  async leave(name) {
    mkdirSync(settings.left, { recursive: true });
    const path = join(settings.left, `${name.replace(/[^a-z0-9]+/gi, "-")}.png`);
    // The page may be gone or stuck; then there is no picture.
    const taken = await this.page.screenshot({ path, timeout: 10_000 }).then(() => path, () => "no picture");
    return `${taken}\n${this.said.slice(-40).join("\n")}`;
  }

  async close() {
    await this.page.close();
    await this.context?.close();
  }
}
