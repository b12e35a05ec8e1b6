// A static host as plain as hosts get: folders under prefixes, right types, nothing isolated.
//
// There are no COOP or COEP headers: the app must not need them. A folder may have headers of its own,
// such as a content security policy, and may hand out the compressed files that lie beside.

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".ron": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
};

/** Begins to serve `places`: `{ "/prefix/": { folders, headers, compressed } }`, of its
 * folders the first that has a file. What is posted to `/report` goes to `report(text)`. Answers the
 * origin and what ends it. */
export async function serve(places, report = () => {}) {
  const prefixes = Object.keys(places).sort((a, b) => b.length - a.length);
  const server = createServer((request, response) => {
    answer(request, response).catch((error) => {
      if (!response.headersSent) response.writeHead(500);
      response.end(String(error));
    });
  });

  async function answer(request, response) {
    if (request.method === "POST" && request.url === "/report") {
      const pieces = [];
      for await (const piece of request) pieces.push(piece);
      report(Buffer.concat(pieces).toString());
      response.writeHead(204);
      return response.end();
    }
    const path = decodeURIComponent(new URL(request.url, "http://here").pathname);
    const prefix = prefixes.find((prefix) => path.startsWith(prefix));
    const place = places[prefix];
    const rest = place && normalize(path.slice(prefix.length) || "index.html");
    if (!place || rest.startsWith("..")) return refuse(response);
    const found = await firstFile(
      place.folders
        .map((folder) => join(folder, rest))
        .flatMap((file) => (place.compressed ? [[`${file}.br`, "br"], [file]] : [[file]])),
    );
    if (!found) return refuse(response);
    const headers = {
      "content-type": TYPES[extname(rest)] ?? "application/octet-stream",
      "content-length": found.size,
      "cache-control": /-[0-9a-f]{10,}[./]/.test(rest) ? "public, max-age=31536000, immutable" : "no-cache",
      ...place.headers,
    };
    if (found.encoding) headers["content-encoding"] = found.encoding;
    response.writeHead(200, headers);
    createReadStream(found.path).pipe(response);
  }

  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    close() {
      server.closeAllConnections?.();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

function refuse(response) {
  response.writeHead(404, { "content-type": "text/plain" });
  response.end("there is no such file here");
}

async function firstFile(candidates) {
  for (const [path, encoding] of candidates) {
    const found = await stat(path).catch(() => null);
    if (found?.isFile()) return { path, encoding, size: found.size };
  }
  return null;
}
