// What the tests' server serves, and under which addresses.

import { fileURLToPath } from "node:url";
import { join } from "node:path";

import { serve } from "./server.js";
import { settings } from "./settings.js";

const pages = fileURLToPath(new URL("../pages", import.meta.url));
let serving = null;

/** Addresses of: `site`, the app below a path that nobody had in mind; `strict`, the same where pages
 * may not start workers; `compressed`, the same packed for the way; `pages`, pages without the app;
 * `repository`, its scenes and fixtures. */
export async function site() {
  serving ??= begin();
  const { origin } = await serving;
  return {
    origin,
    site: `${origin}/any/path/at all/`,
    strict: `${origin}/strict/`,
    compressed: `${origin}/compressed/`,
    pages: `${origin}/pages/`,
    repository: `${origin}/repository/`,
  };
}

function begin() {
  const places = {
    "/any/path/at all/": { folder: settings.site },
    "/strict/": { folder: settings.site, headers: { "content-security-policy": "worker-src 'none'" } },
    "/compressed/": { folder: settings.site, compressed: true },
    "/pages/": { folder: pages },
    "/page/": { folder: join(settings.root, "web/page") },
    "/repository/scenes/": { folder: join(settings.root, "scenes") },
    "/repository/tests/fixtures/": { folder: join(settings.root, "tests/fixtures") },
  };
  if (settings.suite) places["/pages/suite/"] = { folder: settings.suite };
  if (settings.web_bench) places["/pages/web_bench/"] = { folder: settings.web_bench };
  return serve(places);
}

/** Ends the server. */
export async function closeSite() {
  const server = await serving;
  serving = null;
  await server?.close();
}
