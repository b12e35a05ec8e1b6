// Forearm's simulation in a worker.

import init, { Course, cases, controls, mjcf } from "./sim_bench.js";
import { answer, fastest, WARM_UP } from "./rounds.js";

const ready = init({ module_or_path: new URL("sim_bench_bg.wasm", import.meta.url) });

answer(async (question) => {
  await ready;
  if (question.cases) return { cases: cases() };
  if (question.mjcf) return { mjcf: mjcf(question.mjcf), controls: controls(WARM_UP + question.controls) };
  const course = new Course(question.name);
  try {
    const { steps } = question;
    return { micros: fastest(steps, () => course.step(), () => course.prepare(steps)) };
  } finally {
    course.free();
  }
});
