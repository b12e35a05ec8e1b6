// The record service in a page without a picture (pages/recording).

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { PATIENCE } from "./app.js";
import { unpack } from "./archive.js";
import { browser } from "./browser.js";
import { settings, source } from "./settings.js";
import { site } from "./site.js";

const SCENE = source("scenes/pick_and_place.ron");
const MOTION = source("scenes/motions/wave.ron");

/** A page with a record service. Reloading it is closing its tab. */
export class Recording {
  constructor(page) {
    this.page = page;
    this.complaints = [];
    page.setDefaultTimeout(PATIENCE);
    page.on("console", (message) => message.type() === "error" && this.complaints.push(message.text()));
    page.on("pageerror", (error) => this.complaints.push(String(error.stack ?? error)));
  }

  /** Loads the page and starts the services: `worker` or `inline`. */
  async load(host = "worker", query = {}) {
    const address = new URL((await site()).recording);
    for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value);
    await this.page.goto(address.href);
    await this.page.waitForFunction(() => globalThis.recording);
    await this.page.evaluate(([host, scene, motion]) => recording.open(host, scene, motion), [host, SCENE, MOTION]);
    // The scene comes from control.
    const hasScene = async () => {
      const { Cameras: cameras } = await this.request("ListCameras");
      return cameras.some(({ source }) => source.Sim);
    };
    while (!(await hasScene()));
    await this.until(() => recording.state());
  }

  /** Asks the record service; fails as it does. */
  request(name, fields) {
    return this.page.evaluate((request) => recording.request(request), fields === undefined ? name : { [name]: fields });
  }

  /** Asks the record service, which has to refuse; answers its words. */
  async refusal(name, fields) {
    const error = await this.request(name, fields).then(
      (reply) => ({ message: `it did not refuse, but said ${JSON.stringify(reply)}` }),
      (error) => error,
    );
    return error.message;
  }

  /** Opens a dataset of this name for recording; `more` are other fields of its configuration. */
  openDataset(name, cameras, more = {}) {
    return this.request("Open", {
      place: { Storage: name },
      resume: false,
      task: "wave to the table",
      fps: 30,
      episodes: 3,
      episode_secs: 1.5,
      reset_secs: 0.2,
      cameras: Object.entries(cameras).map(([name, source]) => ({ name, source, resolution: [320, 240] })),
      video_quality: 23,
      ...more,
    });
  }

  /** Waits until `holds(argument)`, in the page, answers something; answers it. */
  async until(holds, argument) {
    try {
      const handle = await this.page.waitForFunction(holds, argument, { polling: 20, timeout: PATIENCE });
      return await handle.jsonValue();
    } catch (error) {
      const [said, state] = await this.page.evaluate(() => [recording.said(), JSON.stringify(recording.state())]);
      throw new Error(`${error.message}\n${holds}\nsaid: ${said}\nstate: ${state}`);
    }
  }

  /** Waits for a phase; answers the state. */
  phase(phase) {
    return this.until((phase) => (recording.state()?.phase === phase ? recording.state() : null), phase);
  }

  /** Waits until all cameras give pictures. */
  live() {
    return this.until(() => {
      const { cameras } = recording.state();
      return cameras.length > 0 && cameras.every(({ health }) => health === "Live") ? cameras : null;
    });
  }

  /** Waits until so many rows of an episode were accepted: neither waiting for a camera's next picture nor
   * for the encoder. Answers how many. */
  accepted(count) {
    return this.until((count) => {
      const { phase, frames, cameras } = recording.state();
      // A row waits for the first picture behind it.
      const late = cameras.map(({ queued, age_secs }) => queued + Math.ceil(age_secs * 30) + 2);
      const accepted = frames - Math.max(...late);
      return phase === "Recording" && accepted >= count ? accepted : null;
    }, count);
  }

  /** Exports the dataset, unpacks it, hands the folder to `work`. */
  async exported(work) {
    const folder = await mkdtemp(join(tmpdir(), "forearm-e2e-"));
    try {
      const [download] = await Promise.all([
        this.page.waitForEvent("download"),
        this.page.evaluate(() => recording.download("dataset.zip")),
      ]);
      const archive = join(folder, "dataset.zip");
      await download.saveAs(archive);
      unpack(archive, join(folder, "dataset"));
      return await work(join(folder, "dataset"));
    } finally {
      if (!process.env.FOREARM_KEEP) await rm(folder, { recursive: true, force: true });
      else console.log(`kept: ${folder}`);
    }
  }
}

/** Runs `work(recording)` with a page of a profile of its own: nothing is stored yet. */
export async function withRecording(work) {
  const context = await (await browser()).newContext({ acceptDownloads: true });
  try {
    const recording = new Recording(await context.newPage());
    await work(recording, context);
    assert.deepEqual(recording.complaints, []);
  } finally {
    await context.close();
  }
}

/** Why these tests can't run, or false. */
export const skip = settings.record_web ? false : "the page was not built";
