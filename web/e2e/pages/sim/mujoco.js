// MuJoCo's simulation in a worker: its npm package as it comes, on the same model, with the same targets.

import load from "./mujoco/mujoco.js";
import { answer, fastest, WARM_UP } from "./rounds.js";

const ready = load();

answer(async ({ mjcf, controls, steps }) => {
  const mujoco = await ready;
  const model = mujoco.MjModel.from_xml_string(mjcf);
  const data = new mujoco.MjData(model);
  try {
    const control = data.ctrl;
    const step = (index) => {
      for (let joint = 0; joint < 6; joint++) control[joint] = controls[6 * index + joint];
      mujoco.mj_step(model, data);
    };
    // From the start of the targets, or it would have to swing there first.
    for (let joint = 0; joint < 6; joint++) data.qpos[joint] = controls[joint];
    for (let index = 0; index < WARM_UP; index++) step(index);
    return { micros: fastest(steps, (index) => step(WARM_UP + index)) };
  } finally {
    data.delete();
    model.delete();
  }
});
