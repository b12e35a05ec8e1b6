// Starts Forearm in this page: checks the browser, downloads and compiles app and worker side by side,
// starts the app, and shows how that goes. Later it shows what happened if the app stops.
//
// In: the manifest that `cargo xtask web` wrote into the page; the address's query.
// Out: `forearmBoot` is what the app starts with, `forearmPage` is what it reports to. The marks
// `forearm:…` in the browser's timeline say when each part was done.

/** Bytes of a module that only a browser with 128-bit vectors takes. */
const SIMD_PROBE = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15,
  253, 98, 11,
]);
/** After this long without a byte the page says that it still waits, milliseconds. */
const STALL_MS = 8000;
/** After this long in the app's own start the page says why that may be, milliseconds. */
const SLOW_START_MS = 15000;
/** Where in the whole start each part begins, 0 to 1. */
const PART = { download: 0.02, compile: 0.7, start: 0.8 };
/** Keys with which a browser scrolls a page. */
const SCROLLING = new Set([
  "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", " ", "PageUp", "PageDown", "Home", "End",
]);
/** How the window library leaves its first call in some versions: not an error. */
const NOT_AN_ERROR = "Using exceptions for control flow";

const element = (id) => document.getElementById(id);
const canvas = element("forearm");
const cover = element("cover");

/** `starting`, `running` once the first picture is there, `failed`. */
let state = "starting";
/** What the button under a problem does. */
let onAgain = () => location.reload();

/** A problem with words for the person: what happened, why or what to do, and details for a report.
 * With `retry`, the next attempt need not load the page again. */
class Problem extends Error {
  constructor(what, why, { details = "", button = "Try again", retry = false } = {}) {
    super(what);
    Object.assign(this, { what, why, details, button, retry });
  }
}

// ---------------------------------------------------------------------------------------------------
// What the person sees

/** Shows which part of the start runs, how much of the whole is done (0 to 1), and an amount. */
function show(text, fraction, amount = "") {
  if (state !== "starting") return;
  // Written only when it changes: a screen reader reads it aloud each time.
  if (element("stage").textContent !== text) element("stage").textContent = text;
  element("amount").textContent = amount;
  const percent = Math.round(100 * Math.min(1, Math.max(0, fraction)));
  element("bar").setAttribute("aria-valuenow", percent);
  element("fill").style.transform = `translateX(${percent - 100}%)`;
}

/** Says something small under the bar, or nothing. */
function hint(text) {
  element("hint").textContent = text;
}

/** Shows a problem in place of the progress. The first one stays: others follow from it. */
function fail(problem) {
  if (state === "failed") return;
  const drawn = state === "running";
  state = "failed";
  performance.mark("forearm:failed");
  element("what").textContent = problem.what;
  element("why").textContent = problem.why;
  element("details").textContent = problem.details;
  element("details").hidden = !problem.details;
  element("copy").hidden = !problem.details;
  element("again").textContent = problem.button;
  element("progress").hidden = true;
  element("problem").hidden = false;
  cover.hidden = false;
  cover.classList.remove("gone");
  cover.classList.toggle("over", drawn);
  element("again").focus({ preventScroll: true });
  // Nobody sees the arms any more: they hold.
  if (drawn) emergencyStop();
}

element("again").addEventListener("click", () => onAgain());

element("copy").addEventListener("click", async () => {
  const text = `${element("what").textContent}\n${element("details").textContent}`;
  try {
    await navigator.clipboard.writeText(text);
    element("copy").textContent = "Copied";
  } catch {
    // Not allowed here: leave the text selected, for the person to copy.
    getSelection().selectAllChildren(element("details"));
  }
});

// ---------------------------------------------------------------------------------------------------
// What the app tells

globalThis.forearmPage = {
  /** A part of the app's own start begins; `fraction` of that start is done, 0 to 1. */
  stage(text, fraction = 0) {
    show(text, PART.start + (1 - PART.start) * fraction);
  },

  /** The first picture is complete. */
  ready() {
    if (state !== "starting") return;
    show("Ready", 1);
    state = "running";
    performance.mark("forearm:ready");
    cover.classList.add("gone");
    const remove = () => {
      if (state === "running") cover.hidden = true;
    };
    cover.addEventListener("transitionend", remove, { once: true });
    // Where nothing is animated there is no end of it either.
    setTimeout(remove, 400);
    if (document.hasFocus()) canvas.focus({ preventScroll: true });
  },

  /** The app can't go on. */
  failed(message) {
    const running = state === "running";
    fail(
      new Problem(
        running ? "Forearm stopped" : "Forearm could not start",
        running
          ? "The app ran into an error that it can't recover from. Reload to start again; your settings are kept."
          : "The app stopped while it started. Reload to try again; if it happens again, the details below tell the developers why.",
        { details: String(message), button: "Reload" },
      ),
    );
  },
};

/** Whether an error means that the app is gone: its module trapped, or it threw while it started. */
function isFatal(error) {
  if (String(error?.message ?? error).includes(NOT_AN_ERROR)) return false;
  return error instanceof WebAssembly.RuntimeError;
}

/** What an error says, with where it happened. */
function described(error) {
  if (!(error instanceof Error)) return String(error);
  const stack = error.stack ?? "";
  return stack.includes(error.message) ? stack : `${error}\n${stack}`;
}

addEventListener("error", (event) => {
  if (isFatal(event.error)) globalThis.forearmPage.failed(described(event.error));
});
addEventListener("unhandledrejection", (event) => {
  if (isFatal(event.reason)) globalThis.forearmPage.failed(described(event.reason));
});
canvas.addEventListener("webglcontextlost", () => {
  fail(
    new Problem(
      "The graphics card took the picture away",
      "This happens when its driver restarts, the computer slept, or too many pages draw at once. Reload to go on; your settings are kept.",
      { button: "Reload" },
    ),
  );
});

// ---------------------------------------------------------------------------------------------------
// Keyboard

canvas.addEventListener("pointerdown", () => {
  if (document.activeElement !== canvas) canvas.focus({ preventScroll: true });
});

/** Tells the app's service, past the picture, to hold every arm. */
function emergencyStop() {
  try {
    globalThis.forearm?.command("EStop");
  } catch {
    // There is nothing left that could be stopped.
  }
}

addEventListener("focus", () => {
  if (state === "running" && document.activeElement === document.body) {
    canvas.focus({ preventScroll: true });
  }
});

addEventListener("keydown", (event) => {
  // Whatever has the keyboard, and whatever has become of the picture: Esc stops the arms.
  if (event.key === "Escape" && event.target !== canvas) emergencyStop();
  if (state !== "running" || event.target !== document.body) return;
  // Nothing has the keyboard: give it to the app, and let the page stay where it is.
  if (SCROLLING.has(event.key)) event.preventDefault();
  if (!event.ctrlKey && !event.metaKey && !event.altKey) canvas.focus({ preventScroll: true });
});

// ---------------------------------------------------------------------------------------------------
// What the browser has to have

/** Throws a problem where the app can't run. */
function checkBrowser() {
  const update = "Please use a current version of Chrome, Edge, Firefox or Safari.";
  if (typeof WebAssembly !== "object") {
    throw new Problem(
      "This browser can't run Forearm",
      `It has no WebAssembly, or it is switched off (some privacy modes do that). ${update}`,
    );
  }
  if (!WebAssembly.validate(SIMD_PROBE)) {
    throw new Problem(
      "This browser can't run Forearm",
      `Its WebAssembly has no 128-bit vectors (SIMD). ${update}`,
    );
  }
  let context = null;
  try {
    context = document.createElement("canvas").getContext("webgl2");
  } catch {
    // Some browsers throw where others answer null.
  }
  if (!context) {
    throw new Problem(
      "This browser can't draw Forearm's pictures",
      "WebGL 2 is missing. Switch on hardware acceleration in the browser's settings, update the graphics driver, or try another browser.",
    );
  }
  // Contexts are few: this one is not needed any more.
  context.getExtension("WEBGL_lose_context")?.loseContext();
}

// ---------------------------------------------------------------------------------------------------
// Download and compile

/** What `cargo xtask web` wrote into the page. */
function readManifest() {
  const manifest = JSON.parse(element("forearm-manifest").textContent);
  if (!manifest) {
    throw new Problem(
      "This page is not built",
      "These are its sources. `cargo xtask web --serve` makes the page that runs.",
    );
  }
  return manifest;
}

/** The absolute address of a file of the site. */
function address(file, version = "") {
  return new URL(file.path + version, document.baseURI).href;
}

/** Counts the bytes of several downloads and shows them together. */
class Progress {
  constructor() {
    this.downloads = [];
    this.last = performance.now();
    this.timer = setInterval(() => this.tick(), 500);
  }

  /** Begins to count a download of a known size; answers what to call with each piece. */
  add(file) {
    const download = { file, done: 0, travelling: file.bytes };
    this.downloads.push(download);
    return {
      began: (encoding) => {
        download.travelling = { br: file.brotli, gzip: file.gzip }[encoding] ?? file.bytes;
      },
      grew: (bytes) => {
        download.done += bytes;
        this.last = performance.now();
        this.draw();
      },
      ended: () => {
        download.done = file.bytes;
        this.draw();
      },
    };
  }

  draw() {
    const sum = (value) => this.downloads.reduce((all, download) => all + value(download), 0);
    // Pieces arrive unpacked; what travels is smaller.
    const part = ({ file, done }) => Math.min(1, file.bytes ? done / file.bytes : 1);
    const whole = sum((download) => download.travelling);
    const done = sum((download) => download.travelling * part(download));
    const fraction = whole ? done / whole : 0;
    const text = fraction < 1 ? "Downloading" : "Compiling";
    const amount = fraction < 1 ? `${megabytes(done)} of ${megabytes(whole)} MB` : "";
    show(text, PART.download + (PART.compile - PART.download) * fraction, amount);
  }

  /** Says so when nothing has arrived for long. */
  tick() {
    const waits = this.downloads.some(({ file, done }) => done < file.bytes);
    const stalled = waits && performance.now() - this.last > STALL_MS;
    hint(stalled ? "Nothing has arrived for some seconds. Still waiting for the connection…" : "");
  }

  end() {
    clearInterval(this.timer);
    hint("");
  }
}

function megabytes(bytes) {
  return (bytes / 1e6).toFixed(1);
}

/** The connection broke, or never came about. */
function unreachable(file, error) {
  return new Problem(
    "The download did not arrive",
    navigator.onLine
      ? "The connection to this site broke. Try again in a moment; what has arrived is kept."
      : "This device is offline. Connect it and try again.",
    { details: `${file.path}: ${error?.message ?? error}`, retry: true },
  );
}

/** The host answered, but not with the file. */
function refused(file, response) {
  const gone = response.status === 404;
  return new Problem(
    gone ? "A part of Forearm is not there any more" : "The site does not hand out a part of Forearm",
    gone
      ? "Probably a newer version was put here just now. Reload to get it."
      : "Try again in a moment; if it stays so, the host of this site has to mend it.",
    { details: `${file.path}: status ${response.status} ${response.statusText}`, button: gone ? "Reload" : "Try again" },
  );
}

/** Downloads a module and compiles it while it arrives. */
async function compile(file, count) {
  let response;
  try {
    response = await fetch(address(file));
  } catch (error) {
    throw unreachable(file, error);
  }
  if (!response.ok) throw refused(file, response);
  count.began(response.headers.get("content-encoding"));
  const reader = response.body.getReader();
  let broken = null;
  const body = new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) {
          count.ended();
          controller.close();
        } else {
          count.grew(value.byteLength);
          controller.enqueue(value);
        }
      } catch (error) {
        // The compiler would report it as its own.
        broken = error;
        controller.error(error);
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
  // Whatever the host says it is: it is a module.
  const headers = { "content-type": "application/wasm" };
  try {
    return await WebAssembly.compileStreaming(new Response(body, { headers }));
  } catch (error) {
    if (broken) throw unreachable(file, broken);
    throw new Problem(
      "A part of Forearm can't be read",
      `${file.path} arrived, but this browser does not take it. Reload; if that does not help, update the browser.`,
      { details: described(error), button: "Reload" },
    );
  }
}

/** Loads the app's JavaScript. An address that failed once fails for ever, so each attempt has its own. */
async function loadGlue(file, attempt) {
  try {
    return await import(address(file, attempt ? `?attempt=${attempt}` : ""));
  } catch (error) {
    throw unreachable(file, error);
  }
}

/** What the app needs to start workers. Without them it still runs, so most problems are only noted. */
async function prepareWorker(files, progress) {
  const [entry, glue, wasm] = ["worker-entry", "worker-glue", "worker-wasm"].map((role) => files[role]);
  const none = { entry: "", glue: "", module: null };
  if (!entry || !glue || !wasm) return { ...none, error: "this build has no worker" };
  const worker = { ...none, entry: address(entry, `?v=${entry.hash}`), glue: address(glue) };
  if (typeof Worker !== "function") return { ...worker, error: "this browser has no workers" };
  try {
    return { ...worker, module: await compileOnce(wasm, progress) };
  } catch (error) {
    if (error.retry) throw error;
    return { ...worker, error: `${error.what ?? error.message} (${error.details ?? ""})` };
  }
}

// ---------------------------------------------------------------------------------------------------
// Start

/** Lets the browser draw before the main thread is busy. In a hidden tab it draws nothing. */
function painted() {
  return new Promise((resolve) => {
    requestAnimationFrame(() => setTimeout(resolve));
    setTimeout(resolve, 100);
  });
}

/** What has arrived in earlier attempts: promises of modules by address. */
const kept = new Map();

/** Compiles a module unless an earlier attempt did. */
function compileOnce(file, progress) {
  const count = progress.add(file);
  const key = address(file);
  if (kept.has(key)) {
    count.ended();
    return kept.get(key);
  }
  const compiled = compile(file, count);
  kept.set(key, compiled);
  compiled.catch(() => kept.delete(key));
  return compiled;
}

async function start(attempt) {
  checkBrowser();
  const manifest = readManifest();
  const files = Object.fromEntries(manifest.files.map((file) => [file.role, file]));
  const query = Object.fromEntries(new URLSearchParams(location.search));
  const workers = query.workers === "off" ? "off" : "auto";

  show("Downloading", PART.download);
  const progress = new Progress();
  let module, glue, worker;
  try {
    [module, glue, worker] = await Promise.all([
      compileOnce(files["app-wasm"], progress),
      loadGlue(files["app-glue"], attempt),
      workers === "off"
        ? { entry: "", glue: "", module: null, error: "switched off in the address (workers=off)" }
        : prepareWorker(files, progress),
    ]);
  } finally {
    progress.end();
  }
  performance.mark("forearm:compiled");

  globalThis.forearmBoot = { workers, worker, query };
  show("Starting", PART.start);
  await painted();
  const slow = setTimeout(() => {
    if (state === "starting") hint("This takes long here. Without a graphics card, the processor draws.");
  }, SLOW_START_MS);
  try {
    await glue.default({ module_or_path: module });
  } catch (error) {
    clearTimeout(slow);
    if (!String(error?.message ?? error).includes(NOT_AN_ERROR)) throw error;
  }
  performance.mark("forearm:started");
}

async function attempt(number) {
  try {
    await start(number);
  } catch (error) {
    if (error instanceof Problem) fail(error);
    else globalThis.forearmPage.failed(described(error));
    onAgain = error.retry ? () => again(number + 1) : () => location.reload();
  }
}

/** Tries again without leaving the page: offline, a reload would lose it. */
function again(number) {
  state = "starting";
  element("problem").hidden = true;
  element("progress").hidden = false;
  attempt(number);
}

attempt(0);
