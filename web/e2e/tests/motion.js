// A motion plays: it takes the cube and lays it into the tray, as natively.

import assert from "node:assert/strict";

import { source } from "../harness/settings.js";
import { onEachHost } from "../harness/tests.js";

onEachHost("motion", (use) => {
  use("pick and place leaves the cube in the tray", async (app) => {
    await app.request("PlayScript", { arm: 0, text: source("scenes/motions/pick_and_place.ron") });
    await app.until(() => globalThis.forearm.state().arms[0].mode === "Script");
    await inTray(app);
    const { in_tray: inside, scripts } = await app.inspect();
    assert.deepEqual(inside, [["cube", "tray"]]);
    assert.deepEqual(scripts, ["Done"]);
    app.assertQuiet();
  });

  use("a motion that does not fit is refused with the reason", async (app) => {
    const text = source("scenes/motions/pick_and_place.ron").replaceAll('"cube"', '"sphere"');
    const { error } = await app.ask("PlayScript", { arm: 0, text });
    assert.match(error, /playing the motion was refused: .*sphere/);
  });

  use("a request that is none is refused with the reason", async (app) => {
    assert.match((await app.ask("Dance")).error, /no such request.*Dance/);
    assert.match((await app.ask("SetTorque", { arm: 7, on: true })).error, /7/);
  });
});

/** Waits for the motion's end. */
async function inTray(app) {
  for (;;) {
    const { scripts } = await app.inspect();
    if (scripts[0] === "Done") return;
    assert.ok(scripts[0].Playing, `the motion did not end well: ${JSON.stringify(scripts)}`);
    await app.nextState(30);
  }
}
