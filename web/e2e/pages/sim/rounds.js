// How a worker measures and answers.

/** Steps before measuring starts, and rounds of which the fastest counts: as natively. */
export const WARM_UP = 2000;
export const ROUNDS = 5;

/** Microseconds a step, the fastest of some rounds: `step(index)` goes one step on. */
export function fastest(steps, step, prepare = () => {}) {
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    prepare();
    const begun = performance.now();
    for (let index = 0; index < steps; index++) step(index);
    best = Math.min(best, ((performance.now() - begun) * 1e3) / steps);
  }
  return best;
}

/** Answers the page's questions. */
export function answer(how) {
  addEventListener("message", async ({ data }) => {
    try {
      postMessage(await how(data));
    } catch (error) {
      postMessage({ error: String(error?.message ?? error) });
    }
  });
}
