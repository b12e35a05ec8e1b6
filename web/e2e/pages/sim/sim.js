// Two simulations, each in a worker of its own; only one of them works at a time.

const workers = {};

/** Asks a worker, which is started when it is first asked. */
function ask(who, question) {
  workers[who] ??= new Worker(new URL(`${who}.js`, import.meta.url), { type: "module" });
  const worker = workers[who];
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data));
    worker.onerror = (event) => reject(new Error(event.message || `${who}'s worker failed`));
    worker.postMessage(question);
  });
}

globalThis.sim = {
  /** The names of the cases. */
  async cases() {
    return (await ask("ours", { cases: true })).cases;
  },

  /** Microseconds a step of a case: the fastest of some rounds of so many steps. */
  async measure(who, name, steps) {
    const things = who === "ours" ? {} : await ask("ours", { mjcf: name, controls: steps });
    return (await ask(who, { ...things, name, steps })).micros;
  },
};
