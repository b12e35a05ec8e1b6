// Recording in a browser tab: simulated cameras and Chromium's fake one, into the browser's private storage;
// a tab that is closed in the middle, a worker that is killed; what is exported is a dataset.
//
// The services run without a picture here; the app itself is asked by `forearm.record` at the end.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { checkDataset, unpack } from "../harness/archive.js";
import { Recording, skip, withRecording } from "../harness/recording.js";
import { settings } from "../harness/settings.js";
import { test, withApp } from "../harness/tests.js";

const CAMERAS = { wrist: { Sim: "wrist" }, front: { Sim: "front" }, desk: { Device: "" } };
const NAMES = Object.keys(CAMERAS);

/** Records the wanted episodes of the dataset that is open; answers it. */
async function recordAll(recording) {
  await recording.live();
  await recording.request("Start");
  await recording.phase("Finished");
  return recording.page.evaluate(() => recording.dataset());
}

test("record: three episodes with simulated cameras and the browser's, exported as a dataset", { skip }, () =>
  withRecording(async (recording) => {
    await recording.load();
    await recording.openDataset("three", CAMERAS);
    const dataset = await recordAll(recording);
    assert.equal(await recording.page.evaluate(() => recording.host()), "worker");
    const frames = dataset.episodes.map((episode) => episode.frames);
    assert.equal(frames.length, 3, JSON.stringify(dataset));
    for (const { frames, quality, task } of dataset.episodes) {
      assert.ok(frames >= 40 && frames <= 47, `${frames} rows of 1.5 s`);
      assert.equal(task, "wave to the table");
      assert.equal(quality.ticks_lost, 0);
      for (const { name, dropped } of quality.cameras) assert.equal(dropped, 0, name);
    }
    const previews = await recording.page.evaluate(() => recording.previews());
    for (const name of NAMES) assert.deepEqual([previews[name][0] > 5, previews[name][1], previews[name][2]], [true, 320, 240], name);
    await recording.exported((folder) => console.log(checkDataset(folder, { frames, cameras: NAMES })));
  }),
);

test("record: an episode's numbers and pictures are shown again", { skip }, () =>
  withRecording(async (recording) => {
    await recording.load();
    await recording.openDataset("shown", { wrist: { Sim: "wrist" }, desk: "Pattern" }, { episodes: 1 });
    const dataset = await recordAll(recording);
    const { Episode: series } = await recording.request("Episode", 0);
    assert.equal(series.frames, dataset.episodes[0].frames);
    assert.equal(series.actions.length, series.frames * dataset.action_names.length);
    // Row 11 is no key frame.
    for (const row of [0, 11, series.frames - 1]) {
      const { Frame: frame, differs } = await recording.page.evaluate(async (frame) => {
        const { Frame, rgba } = await recording.request({ Frame: { episode: 0, frame } });
        return { Frame, differs: new Set(rgba).size };
      }, row);
      assert.deepEqual([frame.frame, frame.sizes], [row, [[320, 240], [320, 240]]]);
      assert.ok(differs > 20, `row ${row} has a picture`);
    }
  }),
);

test("record: a tab that is closed in the middle of an episode loses nothing of it", { skip }, () =>
  withRecording(async (recording) => {
    await recording.load();
    await recording.openDataset("closed", CAMERAS, { episodes: 2, episode_secs: 2 });
    await recording.live();
    await recording.request("Start");
    await recording.until(() => recording.state().made === 1 && recording.state().phase === "Recording");
    const [{ frames: first }] = await recording.page.evaluate(() => recording.dataset().episodes);
    const seen = await recording.accepted(12);
    await recording.load();
    assert.deepEqual((await recording.request("ListStored")).Names, ["closed"]);
    const { Dataset: found } = await recording.openDataset("closed", CAMERAS, { resume: true, episodes: 1, episode_secs: 1.2 });
    assert.deepEqual(found.episodes.map(({ frames }) => frames), [first], "the finished episode is there");
    const { recoverable } = await recording.until(() => (recording.state()?.recoverable ? recording.state() : null));
    assert.equal(recoverable.episode, 1);
    assert.ok(recoverable.frames >= seen, `${recoverable.frames} of at least ${seen} rows can be had back`);
    await recording.request("Recover", true);
    const recovered = await recording.until(() => (recording.dataset().episodes.length === 2 ? recording.dataset() : null));
    assert.equal(recovered.episodes[1].frames, recoverable.frames);
    await recordAll(recording);
    const dataset = await recording.page.evaluate(() => recording.dataset());
    const frames = dataset.episodes.map((episode) => episode.frames);
    assert.equal(frames.length, 3);
    await recording.exported((folder) => console.log(checkDataset(folder, { frames, cameras: NAMES })));
  }),
);

test("record: a worker that is killed comes back with its episode", { skip }, () =>
  withRecording(async (recording) => {
    await recording.load();
    await recording.openDataset("killed", { wrist: { Sim: "wrist" } }, { episodes: 1, episode_secs: 30 });
    await recording.live();
    await recording.request("Start");
    const seen = await recording.accepted(20);
    await recording.page.evaluate(() => recording.kill());
    // The service that takes its place keeps what was recorded by itself, and says so.
    const [episode] = await recording.until(() => (recording.restarts() > 0 && recording.dataset()?.episodes.length === 1 ? recording.dataset().episodes : null));
    assert.ok(episode.frames >= seen, `${episode.frames} of at least ${seen} rows are kept`);
    assert.match(await recording.page.evaluate(() => recording.said()), /its \d+ rows are kept/);
    await recording.exported((folder) => console.log(checkDataset(folder, { frames: [episode.frames], cameras: ["wrist"], estimated: true })));
  }),
);

test("record: where nothing can be kept, a person is told, and can still export", { skip }, () =>
  withRecording(async (recording) => {
    // A page's own thread has no files that can be written at once.
    await recording.load("inline");
    await recording.openDataset("gone", { wrist: { Sim: "wrist" }, desk: "Pattern" }, { episodes: 1, episode_secs: 1 });
    const dataset = await recordAll(recording);
    assert.match(await recording.page.evaluate(() => recording.said()), /only in memory and gone with this tab/);
    const frames = dataset.episodes.map((episode) => episode.frames);
    await recording.exported((folder) => console.log(checkDataset(folder, { frames, cameras: ["wrist", "desk"] })));
  }),
);

test("record: a dataset is one tab's, is refused when it is there, and can be deleted", { skip }, () =>
  withRecording(async (recording, context) => {
    await recording.load();
    await recording.openDataset("mine", { desk: "Pattern" }, { episodes: 1, episode_secs: 0.5 });
    await recordAll(recording);
    const other = new Recording(await context.newPage());
    await other.load();
    assert.match(await other.refusal("Browse", { Storage: "mine" }), /mine.*another tab/);
    await recording.request("Close");
    assert.match(await other.refusal("Browse", { Storage: "nothing" }), /nothing/);
    const { Dataset: seen } = await other.request("Browse", { Storage: "mine" });
    assert.equal(seen.episodes.length, 1);
    await other.request("Close");
    const again = recording.openDataset("mine", { desk: "Pattern" }).then(() => "opened", (error) => error.message);
    assert.match(await again, /mine/);
    assert.notEqual(await again, "opened");
    await recording.request("DeleteStored", "mine");
    assert.deepEqual((await recording.request("ListStored")).Names, []);
  }),
);

test("record: an export can be given up", { skip }, () =>
  withRecording(async (recording) => {
    await recording.load();
    await recording.openDataset("given up", { desk: "Pattern" }, { episodes: 1 });
    await recordAll(recording);
    const why = await recording.page.evaluate(() => {
      const packed = recording.request({ Export: { file: null, window_bytes: 1 } });
      recording.command("Cancel");
      return packed.then(() => "packed", (error) => error.message);
    });
    assert.match(why, /cancel|given up|stopped/i);
    const frames = await recording.page.evaluate(() => recording.dataset().episodes.map((episode) => episode.frames));
    await recording.exported((folder) => checkDataset(folder, { frames, cameras: ["desk"], estimated: true }));
  }),
);

// The app itself, by what scripts have.

const appSkip = settings.site ? false : "there is no site";

if (!appSkip) {
  withApp("record: scripts record and export in the app", { query: {}, acceptDownloads: true }, async (app) => {
    const cameras = await app.page.evaluate(() => forearm.cameras());
    assert.ok(cameras.some(({ label }) => /simulated/.test(label)), JSON.stringify(cameras));
    const frames = await app.page.evaluate(async () => {
      const states = [];
      globalThis.recorded = await forearm.record({
        name: "by a script",
        cameras: [{ name: "wrist", source: "sim:wrist", width: 160, height: 120 }],
        options: { taskDescription: "wave", fps: 30, onStateUpdate: (state) => states.push(state.phase) },
        episodes: 2,
        episodeSecs: 1,
        resetSecs: 0.1,
      });
      await recorded.start();
      const { episodes } = await recorded.result;
      if (!states.includes("Recording")) throw new Error(`states: ${states}`);
      return episodes.map(({ frames }) => frames);
    });
    assert.equal(frames.length, 2);
    const state = await app.page.evaluate(() => recorded.getState());
    assert.deepEqual([state.isActive, state.episodeCount], [false, 2]);
    const blobs = await app.page.evaluate(async () => {
      const files = await recorded.exportForLeRobot("blobs");
      const info = await files.find(({ path }) => path === "meta/info.json").blob.text();
      const zip = await recorded.exportForLeRobot("zip");
      const whole = files.reduce((sum, { blob }) => sum + blob.size, 0);
      return { info: JSON.parse(info), files: files.length, whole, zip: zip.size };
    });
    assert.equal(blobs.info.total_episodes, 2);
    assert.ok(blobs.zip > blobs.whole && blobs.zip < blobs.whole + 1000 * blobs.files, JSON.stringify(blobs));
    const refused = await app.page.evaluate(() => recorded.exportForLeRobot("s3").then(() => null, (error) => error.message));
    assert.match(refused, /no upload to S3.*zip/);
    const [download] = await Promise.all([
      app.page.waitForEvent("download"),
      app.page.evaluate(() => recorded.exportForLeRobot()),
    ]);
    assert.equal(download.suggestedFilename(), "by a script.zip");
    const folder = await mkdtemp(join(tmpdir(), "forearm-e2e-"));
    try {
      await download.saveAs(join(folder, "dataset.zip"));
      unpack(join(folder, "dataset.zip"), join(folder, "dataset"));
      console.log(checkDataset(join(folder, "dataset"), { frames, cameras: ["wrist"] }));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    await app.page.evaluate(() => recorded.close());
    app.assertQuiet();
  });
}
