// The environment service in a browser tab: a worker that is kept and used again, whose crash rejects what
// waits, and which leaves the page's own thread alone.

import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { ask, init, openEnvironment, skip, withEnvironment } from "../harness/environment.js";
import { settings } from "../harness/settings.js";
import { test } from "../harness/tests.js";

/** How late a beat of the main thread may be while an environment is made, milliseconds. */
const LATE_MS = 250;
/** What a toy's `substeps` say is wrong with it: `tests/env_service/suite/toy.rs` in `plugins/sim`. */
const NEVER = 901;
const LATE = 904;
const ALL = { worlds: "All", show: null };

/** An initialisation that never ends takes half a minute to say so: meanwhile other tests run. */
let hanging = null;
async function hang() {
  const { page } = await openEnvironment();
  await page.evaluate(() => environment.open("worker", true));
  const begun = performance.now();
  const outcome = await page.evaluate(
    ([never, fine]) =>
      Promise.all([environment.ask("Init", never), environment.ask("Reset", { seed: 1, worlds: "All", show: null })]).then(async ([made, waiting]) => ({
        made,
        waiting,
        life: environment.life(),
        after: await environment.ask("Init", fine),
      })),
    [init("reach", 1, { substeps: NEVER }), init("reach")],
  );
  const secs = (performance.now() - begun) / 1e3;
  await page.close();
  return { ...outcome, secs };
}

for (const [host, where] of [["worker", "in workers"], ["inline", "on the main thread"]]) {
  test(`environment: every case of the service's own tests holds ${where}`, { skip }, async (t) => {
    hanging ??= hang();
    await withEnvironment(
      async (page) => {
        const results = await page.evaluate((host) => environment.runSuite(host), host);
        assert.ok(results.length > 15, `only ${results.length} cases ran`);
        for (const { name, ok, error, skipped } of results) {
          if (skipped) console.log(`not a case ${where}: ${name}: ${skipped}`);
          else await t.test(name, () => assert.ok(ok, error));
        }
      },
      // Cases crash workers on purpose.
      { noisy: true },
    );
  });
}

test("environment: the main thread keeps its beat while an environment is made", { skip }, () =>
  withEnvironment(async (page) => {
    await page.evaluate(() => environment.open());
    // Many worlds and large pictures: the making takes longer than a few beats.
    const large = init("pick-place", 1500, { cameras: [{ name: "front", resolution: [640, 480] }] });
    const { result, late, told } = await page.evaluate(async (large) => {
      const beating = await environment.beating(500, async () => {
        const begun = performance.now();
        let rounds = 0;
        let error = null;
        while (performance.now() - begun < 4000 && !error) {
          ({ error } = await environment.ask("Init", large));
          rounds += 1;
        }
        return { rounds, error, millis: performance.now() - begun };
      });
      return { ...beating, told: environment.told() };
    }, large);
    assert.equal(result.error ?? null, null);
    assert.equal(await page.evaluate(() => environment.host()), "worker");
    const worst = Math.max(...late);
    console.log(`${result.rounds} initialisations, ${(result.millis / result.rounds).toFixed(0)} ms each; ${late.length} beats, the worst ${worst.toFixed(1)} ms late`);
    assert.ok(late.length >= 7, `${late.length} beats`);
    assert.ok(worst < LATE_MS, `beats were late by ${late.map(Math.round)} ms`);
    const stages = [...new Set(told.flatMap(({ Progress }) => (Progress ? [Progress.stage] : [])))];
    assert.deepEqual(stages, ["LoadingModels", "BuildingWorlds", "WarmingUp", "Ready"]);
  }),
);

test("environment: steps, agents, transferred buffers", { skip }, () =>
  withEnvironment(async (page) => {
    await page.evaluate(() => environment.open());
    const { Init: ready } = await ask(page, "Init", init("bimanual-handover", 2));
    assert.deepEqual(ready.spec.agents.map(({ name }) => name), ["left", "right"]);
    const { Reset: first } = await ask(page, "Reset", { seed: 4, ...ALL });
    assert.deepEqual([first.steps, first.worlds, first.infos.steps], [1, 2, [0, 0]]);
    const lens = await page.evaluate(async (show) => {
      const { reply, left, error } = await environment.ask("Step", { actions: Array(24).fill(0.1), show });
      if (error) throw new Error(error);
      const sizes = Object.entries(reply.buffers).map(([name, buffer]) => [name, buffer.byteLength]);
      return { left, steps: reply.Step.infos.steps, ...Object.fromEntries(sizes) };
    }, { worlds: "All", pictures: false });
    const numbers = ready.spec.agents.reduce((sum, agent) => sum + agent.observation_len, 0);
    const width = 1 + 2 * ready.layout.joints + 7 * ready.layout.objects;
    assert.deepEqual(lens, {
      // What was sent is not here any more.
      left: 0,
      steps: [1, 1],
      observations: 4 * 2 * numbers,
      rewards: 16,
      terminateds: 2,
      truncateds: 2,
      successes: 2,
      ticks: 8 * 2 * width,
      rgba: 0,
    });
  }),
);

test("environment: the worker comes to the same bits as the native program", { skip: skip || (settings.env_digest ? false : "there is no digest") }, () =>
  withEnvironment(async (page) => {
    for (const host of ["worker", "inline"]) {
      assert.equal(await page.evaluate((host) => environment.digest(host), host), settings.env_digest, host);
    }
  }),
);

test("environment: a thousand episodes end as they do natively, to the bit", { skip }, () =>
  withEnvironment(async (page) => {
    const blessed = await readFile(join(settings.root, "plugins/sim/tests/sim/env/digests.txt"), "utf8");
    const [episodes, digest] = blessed.trim().split(" ");
    assert.equal(await page.evaluate((episodes) => environment.episodesDigest(episodes), Number(episodes)), digest);
  }),
);

test("environment: where there are no workers, the same happens on the main thread", { skip }, () =>
  withEnvironment(
    async (page) => {
      await page.evaluate(() => environment.open());
      await ask(page, "Init", init("reach"));
      assert.equal(await page.evaluate(() => environment.host()), "inline");
      assert.match((await page.evaluate(() => environment.life())).join(), /Fallback.*the page forbids it/);
      const { Reset: first } = await ask(page, "Reset", { seed: 4, ...ALL });
      assert.deepEqual(first.infos.seeds, [4]);
    },
    { query: "?forbidden" },
  ),
);

test("environment: what is asked early is answered in order, a ping at once", { skip }, () =>
  withEnvironment(async (page) => {
    await page.evaluate(() => environment.open("worker", true));
    const answered = await page.evaluate(
      async ([late, all]) => {
        const actions = [0.1, 0, 0];
        await Promise.all([
          environment.ask("Init", late, "init"),
          environment.ask("Reset", { seed: 7, ...all }, "reset"),
          environment.ask("Step", { actions }, "step 1"),
          environment.ask("Step", { actions }, "step 2"),
          environment.ask("Ping", undefined, "ping"),
        ]);
        return environment.answered;
      },
      [init("reach", 1, { substeps: LATE }), ALL],
    );
    assert.deepEqual(answered, ["ping", "init", "reset", "step 1", "step 2"]);
    // A long call is passed by a short one.
    const late = await page.evaluate(async () => {
      environment.answered.length = 0;
      const steps = 400_000;
      await Promise.all([
        environment.ask("Rollout", { steps, actions: Array(3 * steps).fill(0) }, "rollout"),
        environment.ask("Step", { actions: [0, 0, 0] }, "step"),
        environment.ask("Render", { worlds: "All", pictures: false }, "render"),
        environment.ask("Ping", undefined, "ping"),
      ]);
      return environment.answered;
    });
    assert.deepEqual(late.slice(2), ["rollout", "step"], late.join());
  }),
);

for (const fault of ["trap", "kill", "throw", "hang"]) {
  test(`environment: a worker that fails (${fault}) rejects what waits, and comes back`, { skip }, () =>
    withEnvironment(
      async (page) => {
        await page.evaluate(() => environment.open());
        await ask(page, "Init", init("push", 3));
        await ask(page, "Reset", { seed: 11, ...ALL });
        const outcomes = await page.evaluate(async (fault) => {
          const steps = 3000;
          const asked = [
            environment.ask("Rollout", { steps, actions: Array(18 * steps).fill(0.1) }),
            environment.ask("Step", { actions: Array(18).fill(0) }),
            environment.ask("Render", { worlds: "All", pictures: false }),
          ];
          environment.inject(fault);
          asked.push(environment.ask("Snapshot", { world: 0, slot: 0 }));
          return Promise.all(asked);
        }, fault);
        const failed = outcomes.filter(({ error }) => error);
        // What was short may have been answered before the end; what was long was not.
        assert.ok(outcomes[0].error && outcomes[1].error && outcomes[3].error, JSON.stringify(outcomes));
        for (const { error } of failed) assert.match(error, /service `env` crashed|was lost|were lost/, error);
        const { error } = await page.evaluate(() => environment.ask("Step", { actions: Array(18).fill(0) }));
        assert.match(error, /the episodes of seed 11 were lost in a crash; send `env\/reset` with a seed first/);
        await page.waitForFunction(() => environment.life().some((word) => word.startsWith("Recovered")));
        const told = await page.evaluate(() => environment.told());
        assert.ok(told.some(({ Lost }) => Lost?.seed === 11), JSON.stringify(told));
        const { Reset: again } = await ask(page, "Reset", { seed: 11, ...ALL });
        assert.deepEqual(again.infos.steps, [0, 0, 0]);
      },
      { noisy: true },
    ),
  );
}

test("environment: a picture is drawn without a GPU, and looks like one", { skip }, () =>
  withEnvironment(async (page) => {
    await page.evaluate(() => environment.open());
    await ask(page, "Init", init("pick-place", 1, { cameras: [{ name: "front", resolution: [320, 240] }] }));
    await ask(page, "Reset", { seed: 3, ...ALL });
    const { png, colours, opaque, bytes } = await page.evaluate(() => environment.picture());
    assert.deepEqual([bytes, opaque], [4 * 320 * 240, true]);
    assert.ok(colours > 500, `${colours} colours`);
    await mkdir(settings.left, { recursive: true });
    await writeFile(join(settings.left, "environment.png"), Buffer.from(png.split(",")[1], "base64"));
  }),
);

test("environment: an initialisation that never ends is given up after half a minute", { skip }, async () => {
  const { made, waiting, life, after, secs } = await (hanging ?? hang());
  assert.match(made.error, /`env\/init` got no answer from the service `toys` within 30000 ms; try again/);
  // Its own time is over at the same moment: either may be first.
  assert.match(waiting.error, /`env\/reset` (was (cancelled|refused)|got no answer).*(given up|30000 ms)/);
  assert.ok(secs > 29 && secs < 60, `it took ${secs} s`);
  // The worker lives, and takes the next one.
  assert.deepEqual(life, []);
  assert.equal(after.error, undefined);
});
