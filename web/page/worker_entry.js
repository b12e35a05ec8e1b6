// The first script of every Web Worker: loads the worker's module, then leaves the word to it.
//
// The first message says where the module's glue is and brings the compiled module; the second is
// for the service that this worker becomes. What comes before the module is there waits in order.

// What fails in a promise reaches the owner as any other exception does.
addEventListener("unhandledrejection", (event) => {
  throw event.reason;
});

const waiting = [];
let boot = null;

onmessage = (event) => {
  if (boot === null) {
    boot = event.data;
    load();
  } else {
    waiting.push(event);
  }
};

async function load() {
  let glue;
  try {
    glue = await import(boot.glue);
    await glue.default({ module_or_path: boot.module });
  } catch (error) {
    postMessage({ failed: `the worker could not be loaded: ${error?.message ?? error}` });
    return;
  }
  // The owner's first packet follows right behind: it is there, or about to come.
  if (waiting.length === 0) {
    await new Promise((resolve) => {
      onmessage = (event) => {
        waiting.push(event);
        resolve();
      };
    });
  }
  onmessage = null;
  // What it throws from here on is for the owner to see.
  glue.start(waiting.shift().data);
  // The service has taken over `onmessage`, unless it could not start.
  for (const event of waiting) {
    onmessage?.(event);
  }
}
