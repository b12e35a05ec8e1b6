// Real servos from a browser tab, with virtual arms behind a double of `navigator.serial`: connect, drive,
// calibrate, teleoperate, pull the plug. Each on every way to a port: opened in the worker, opened by the
// page for the worker, opened on the page's own thread.
//
// The control service runs without a picture here: what the processor draws would keep the bus waiting.

import assert from "node:assert/strict";

import { withLoop } from "../harness/loop.js";
import { MOTORS, RANGE, calibrated, calibration, fresh, plugIn } from "../harness/serial.js";
import { settings, source } from "../harness/settings.js";
import { test, withApp } from "../harness/tests.js";

const SCENE = source("scenes/empty.ron");
const skip = settings.web_bench && settings.virtual_bus_web ? false : "the pages were not built";
const FOLLOWER = { arm: 0, role: "Follower" };
/** The safety chain's largest step of a target at 120 Hz is far below this, radians. */
const JUMP = 0.1;
const TICK = (2 * Math.PI) / 4096;

/** The ways to a port: where the service runs, what the address says, what workers have. */
const WAYS = [
  { name: "in the worker", host: "worker", query: {}, inWorkers: true },
  { name: "by the page, as asked", host: "worker", query: { serial: "bridge" }, inWorkers: true },
  { name: "by the page, as workers can't", host: "worker", query: {}, inWorkers: false },
  { name: "on the main thread", host: "inline", query: {}, inWorkers: true },
];

/** A page with these arms and a service that drives: `body(lab)`, once each way. */
function onEachWay(what, arms, body, ways = WAYS) {
  for (const way of ways) {
    test(`serial port ${way.name}: ${what}`, { skip }, () =>
      withLoop(
        async (page, bench) => {
          await page.evaluate(
            ([host, scene]) => {
              loop.open(host, scene);
              loop.drive();
            },
            [way.host, SCENE],
          );
          const lab = new Lab(page, bench);
          await lab.until(() => loop.state()?.active);
          await body(lab);
        },
        { query: way.query, prepare: (page) => plugIn(page, arms, way) },
      ),
    );
  }
}

/** The page's control service and the virtual arms. */
class Lab {
  constructor(page, bench) {
    this.page = page;
    this.bench = bench;
  }

  request(name, fields) {
    return this.page.evaluate((request) => loop.request(request), fields ? { [name]: fields } : name);
  }

  command(name, fields) {
    return this.page.evaluate((command) => loop.command(command), { [name]: fields });
  }

  /** Waits until `holds(argument)`, in the page, answers something; answers it. */
  async until(holds, argument) {
    try {
      const handle = await this.page.waitForFunction(holds, argument, { polling: 20, timeout: 30_000 });
      return await handle.jsonValue();
    } catch (error) {
      const [said, arm] = await this.page.evaluate(() => {
        const { joints, bus, ...arm } = loop.state()?.arms?.[0] ?? {};
        return [loop.said(), JSON.stringify({ ...arm, bus: { ...bus, motors: [] } })];
      });
      throw new Error(`${error.message}\n${holds}\nsaid: ${said}\narm: ${arm}`);
    }
  }

  /** The arm of the scene is this one from now on. */
  async connect(port = "serial:0", store = calibration()) {
    await this.request("SetBackend", {
      arm: 0,
      backend: { Serial: { port, id: null } },
      calibration: store,
      motion: null,
    });
    await this.connected();
  }

  connected() {
    return this.until(() => {
      const arm = loop.state()?.arms[0];
      return arm?.connected && arm.bus?.connection === "Connected" && arm.bus.rate_hz > 0 ? arm : null;
    });
  }

  lost() {
    return this.until(() => loop.state()?.arms[0].bus?.connection.Lost);
  }

  /** Waits until a virtual motor was told to go so far (radians) from where it was told to be. */
  async goalMoves(arm, joint, by) {
    const goal = () => this.bench.register(arm, joint + 1, "Goal_Position");
    const from = await goal();
    for (;;) {
      const now = await goal();
      if ((now - from) * TICK * Math.sign(by) >= Math.abs(by)) return now;
    }
  }

  async key(key, pressed) {
    await this.command("Key", { arm: 0, key, pressed });
  }
}

onEachWay("ports are listed, an arm is connected and driven within its limits", [calibrated()], async (lab) => {
  const ports = await lab.request("ListPorts");
  assert.deepEqual(ports.map(({ name, usb, likely_arm }) => ({ name, usb, likely_arm })), [
    { name: "serial:0", usb: [0x1a86, 0x55d3], likely_arm: true },
  ]);
  await lab.connect();
  const arm = await lab.until(() => {
    const [arm] = loop.state().arms;
    return arm.torque && arm.bus.motors[0].voltage > 0 ? arm : null;
  });
  assert.equal(arm.bus.calibration, "Matches");
  assert.ok(arm.bus.read.mean_secs > 0, "its latency is measured");
  assert.equal(await lab.bench.torque(0), 0b11_1111);
  await lab.bench.largestStep(0);
  await lab.key("ArrowRight", true);
  const goal = await lab.goalMoves(0, 0, 0.3);
  await lab.key("ArrowRight", false);
  assert.ok(goal >= RANGE.low[0] && goal <= RANGE.high[0], `${goal}`);
  const before = await lab.bench.position(0, 0);
  assert.ok(before > 0.15, `the joint follows: ${before}`);
  const step = await lab.bench.largestStep(0);
  assert.ok(step < JUMP, `a goal jumped by ${step} rad`);
  await lab.request("SetBackend", { arm: 0, backend: "Sim", calibration: null, motion: null });
  // Left, its motors let go, and then its port is free.
  while (await lab.bench.holds(0));
  assert.equal(await lab.bench.torque(0), 0);
});

onEachWay("an arm is calibrated by hand", [fresh()], async (lab) => {
  await lab.connect("serial:0", null);
  const stage = (stage) => lab.until((stage) => loop.calibration()?.Calibration?.stage === stage, stage);
  await lab.request("Calibrate", FOLLOWER);
  await stage("Middle");
  for (let joint = 0; joint < 6; joint++) await lab.bench.place(0, joint, 0.1);
  await lab.request("CalibrationStep", "Next");
  await stage("Ranges");
  // Homing has made where they were the middle, 2047.
  const at = (joint, low, high) =>
    lab.until(
      ([joint, low, high]) => {
        const { position } = loop.calibration().Calibration.joints[joint];
        return position >= low && position <= high;
      },
      [joint, low, high],
    );
  for (let joint = 0; joint < 6; joint++) {
    await lab.bench.place(0, joint, -0.9);
    await at(joint, 1300, 1500);
    await lab.bench.place(0, joint, 1.2);
    await at(joint, 2650, 2850);
  }
  await lab.request("CalibrationStep", "Next");
  const done = await lab.until(() => loop.calibration()?.CalibrationDone);
  assert.ok(done.result.Ok, JSON.stringify(done));
  for (const [index, [name, motor]] of done.result.Ok.motors.entries()) {
    assert.equal(name, MOTORS[index]);
    for (const [register, value] of [
      ["Homing_Offset", motor.homing_offset],
      ["Min_Position_Limit", motor.range_min],
      ["Max_Position_Limit", motor.range_max],
    ]) {
      assert.equal(await lab.bench.register(0, index + 1, register), value, `${name} ${register}`);
    }
    if (index !== 4) assert.ok(motor.range_max - motor.range_min > 1200, `${name} ${JSON.stringify(motor)}`);
  }
  await lab.until(() => loop.state()?.arms[0].bus?.calibration === "Matches");
});

onEachWay("a follower goes where its leader is moved", [calibrated(), calibrated()], async (lab) => {
  await lab.connect("serial:0");
  await lab.request("SetLeader", {
    arm: 0,
    leader: { port: "serial:1", id: null },
    calibration: calibration(),
  });
  await lab.until(() => loop.state()?.arms[0].leader?.bus.connection === "Connected");
  await lab.until(() => loop.state()?.arms[0].torque);
  await lab.request("SetMode", { arm: 0, mode: "Leader" });
  assert.equal(await lab.bench.torque(1), 0, "a leader is moved by hand");
  await lab.bench.place(1, 1, 0.4);
  await lab.goalMoves(0, 1, 0.3);
  await lab.until(() => loop.state().arms[0].joints[1].position > loop.state().arms[0].leader.positions[1] - 0.05);
  const position = await lab.bench.position(0, 1);
  assert.ok(Math.abs(position - 0.4) < 0.1, `the follower is at ${position}`);
});

onEachWay("an arm that was unplugged goes on without a jump", [calibrated()], async (lab) => {
  await lab.connect();
  await lab.until(() => loop.state()?.arms[0].torque);
  await lab.key("ArrowRight", true);
  await lab.goalMoves(0, 0, 0.2);
  await lab.bench.plug(0, false);
  const why = await lab.lost();
  assert.match(why, /serial:0/);
  assert.match(why, /plug/);
  await lab.bench.largestStep(0);
  await lab.bench.plug(0, true);
  const arm = await lab.connected();
  assert.ok(arm.bus.errors.reconnects >= 1, JSON.stringify(arm.bus.errors));
  await lab.key("ArrowRight", false);
  await lab.key("ArrowRight", true);
  await lab.goalMoves(0, 0, 0.1);
  await lab.key("ArrowRight", false);
  const step = await lab.bench.largestStep(0);
  assert.ok(step < JUMP, `a goal jumped by ${step} rad`);
});

onEachWay(
  "a port is asked for, and what goes wrong is said",
  [calibrated({ granted: false })],
  async (lab) => {
    assert.deepEqual(await lab.request("ListPorts"), []);
    await lab.request("SetBackend", {
      arm: 0,
      backend: { Serial: { port: "serial:0", id: null } },
      calibration: calibration(),
      motion: null,
    });
    assert.match(await lab.lost(), /Add a port/);
    await lab.bench.choose(0);
    // A person clicks: the browser asks no other way.
    await lab.page.mouse.click(5, 5);
    await lab.page.evaluate(() => navigator.serial.requestPort());
    await lab.connected();
  },
  WAYS.slice(0, 2),
);

onEachWay("a service that ends lets the motors go", [calibrated()], async (lab) => {
  await lab.connect();
  while ((await lab.bench.torque(0)) === 0);
  await lab.page.evaluate((scene) => loop.open("stepped", scene), SCENE);
  while (await lab.bench.holds(0));
  assert.equal(await lab.bench.torque(0), 0);
});

onEachWay(
  "a browser without serial ports says so",
  [],
  async (lab) => {
    const refusal = await lab.request("ListPorts").then(
      () => null,
      (error) => error.message,
    );
    assert.match(refusal, /no Web Serial.*use Chrome/);
    const backend = { Serial: { port: "serial:0", id: null } };
    await lab.request("SetBackend", { arm: 0, backend, calibration: calibration(), motion: null });
    assert.match(await lab.lost(), /no Web Serial/);
  },
  [
    { name: "in no worker", host: "worker", query: {}, onPage: false, inWorkers: false },
    { name: "not on the main thread", host: "inline", query: {}, onPage: false, inWorkers: false },
  ],
);

// The app itself, as a person has it: a click lets the browser ask, a key moves the arm. Where a worker
// has the bus, it may also be killed.

let bench;

for (const way of [
  { name: "in the worker", query: {} },
  { name: "by the page", query: { serial: "bridge" } },
  { name: "on the main thread", query: { workers: "off" } },
]) {
  const options = {
    query: { faults: "on", ...way.query },
    prepare: async (page) => {
      bench = await plugIn(page, [calibrated({ granted: false })]);
    },
  };
  withApp(`serial port of the app, ${way.name}: allowed by a click, driven by a key, unplugged`, options, async (app) => {
    assert.deepEqual(await app.page.evaluate(() => forearm.ports()), []);
    await bench.choose(0);
    await app.page.mouse.click(240, 160);
    const [port] = await app.page.evaluate(() => forearm.requestPort());
    assert.equal(port.name, "serial:0");
    await app.request("SetBackend", {
      arm: 0,
      backend: { Serial: { port: port.name, id: null } },
      calibration: calibration(),
      motion: null,
    });
    const connected = () =>
      app.until(() => {
        const [arm] = forearm.state()?.arms ?? [];
        return arm?.connected && arm.torque && arm.bus?.connection === "Connected" ? arm : null;
      });
    await connected();
    await app.request("Start");
    await drives(app, "ArrowRight", 1);
    await bench.plug(0, false);
    await app.toast("serial:0", "plug");
    await bench.plug(0, true);
    await connected();
    await drives(app, "ArrowLeft", -1);
    app.assertQuiet();
    if (way.query.workers === "off") return;
    await app.page.evaluate(() => forearm.inject("control", "Kill"));
    await app.until(() => forearm.services()[0].restarts > 0 && forearm.services()[0].state === "running");
    await connected();
    await app.request("Start");
    await drives(app, "ArrowRight", 1);
  });
}

/** Holds a key until the virtual motor of the first joint was told to go that way. A picture that takes a
 * second to draw has all keys released, as it must; then it is pressed again. */
async function drives(app, key, direction) {
  await app.page.evaluate(() => document.getElementById("forearm").focus());
  const goal = () => bench.register(0, 1, "Goal_Position");
  const before = await goal();
  let held = null;
  for (let now = before; (now - before) * direction < 50; now = await goal()) {
    const { tick } = await app.state();
    if (held === null || (now === held.goal && tick - held.tick > 60)) {
      if (held) await app.page.keyboard.up(key);
      await app.page.keyboard.down(key);
      held = { goal: now, tick };
    } else if (now !== held.goal) {
      held = { goal: now, tick };
    }
  }
  await app.page.keyboard.up(key);
}
