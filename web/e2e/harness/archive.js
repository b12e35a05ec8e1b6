// A ZIP archive without compression as files on a disk, with its checksums checked; and what a dataset of
// LeRobot has to be like, as far as it can be seen without LeRobot.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { settings } from "./settings.js";

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** The files of an archive: `[path, bytes]`. */
function entries(archive) {
  const end = archive.lastIndexOf("PK\u0005\u0006", undefined, "latin1");
  assert.ok(end >= 0, "the archive has an end");
  const large = archive.readUInt32LE(end + 16) === 0xffffffff;
  const count = large ? Number(archive.readBigUInt64LE(end - 76 + 32)) : archive.readUInt16LE(end + 10);
  let at = large ? Number(archive.readBigUInt64LE(end - 76 + 48)) : archive.readUInt32LE(end + 16);
  const found = [];
  for (let file = 0; file < count; file++) {
    assert.equal(archive.readUInt32LE(at), 0x02014b50, "an entry of the directory");
    assert.equal(archive.readUInt16LE(at + 10), 0, "nothing is compressed");
    const [crc, name, extra, comment] = [
      archive.readUInt32LE(at + 16),
      archive.readUInt16LE(at + 28),
      archive.readUInt16LE(at + 30),
      archive.readUInt16LE(at + 32),
    ];
    let size = archive.readUInt32LE(at + 24);
    let header = archive.readUInt32LE(at + 42);
    const path = archive.toString("utf8", at + 46, at + 46 + name);
    if (size === 0xffffffff || header === 0xffffffff) {
      // The only extra field that is written.
      let place = at + 46 + name + 4;
      const next = () => Number(archive.readBigUInt64LE((place += 8) - 8));
      if (size === 0xffffffff) size = next();
      if (archive.readUInt32LE(at + 20) === 0xffffffff) next();
      if (header === 0xffffffff) header = next();
    }
    const start = header + 30 + archive.readUInt16LE(header + 26) + archive.readUInt16LE(header + 28);
    const bytes = archive.subarray(start, start + size);
    assert.equal(crc32(bytes), crc, `${path}: the checksum`);
    found.push([path, bytes]);
    at += 46 + name + extra + comment;
  }
  return found;
}

/** Unpacks an archive into a folder. */
export function unpack(archive, folder) {
  for (const [path, bytes] of entries(readFileSync(archive))) {
    assert.ok(!path.startsWith("/") && !path.split("/").includes(".."), path);
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
  }
}

/** The boxes of an MP4 file at one level: `[type, bytes]`. */
function boxes(bytes) {
  const found = [];
  for (let at = 0; at + 8 <= bytes.length; ) {
    let size = bytes.readUInt32BE(at);
    let head = 8;
    if (size === 1) {
      size = Number(bytes.readBigUInt64BE(at + 8));
      head = 16;
    }
    assert.ok(size >= head && at + size <= bytes.length, "a box is whole");
    found.push([bytes.toString("latin1", at + 4, at + 8), bytes.subarray(at + head, at + size)]);
    at += size;
  }
  return found;
}

/** A box of an MP4 file by the types on the way to it. */
function box(bytes, ...way) {
  return way.reduce((inside, type) => {
    const found = boxes(inside).find(([is]) => is === type);
    assert.ok(found, `there is a box ${type} of ${way}`);
    return found[1];
  }, bytes);
}

/** How many pictures a video has. */
function pictures(path) {
  const file = readFileSync(path);
  assert.equal(boxes(file)[0][0], "ftyp");
  const table = ["moov", "trak", "mdia", "minf", "stbl"];
  const description = box(file, ...table, "stsd");
  assert.equal(description.toString("latin1", 12, 16), "avc1");
  assert.ok(description.includes("avcC"), "the decoder is told what it needs");
  return box(file, ...table, "stsz").readUInt32BE(8);
}

/** All files below a folder. */
export function tree(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(folder.length + 1))
    .sort();
}

/** Checks a dataset: `frames` of each episode, and its cameras. With LeRobot at hand, also by loading it and
 * computing everything again, unless it is `estimated`: its statistics are not to the last picture. */
export function checkDataset(folder, { frames, cameras, fps = 30, estimated = false }) {
  const info = JSON.parse(readFileSync(join(folder, "meta/info.json"), "utf8"));
  assert.equal(info.codebase_version, "v3.0");
  assert.equal(info.fps, fps);
  assert.equal(info.total_episodes, frames.length);
  assert.equal(info.total_frames, frames.reduce((sum, count) => sum + count, 0));
  assert.deepEqual(
    Object.keys(info.features).filter((key) => key.startsWith("observation.images.")),
    cameras.map((name) => `observation.images.${name}`),
  );
  const files = tree(folder);
  assert.ok(!files.some((file) => file.startsWith(".forearm/")), "what is only Forearm's own stays behind");
  const tables = files.filter((file) => file.endsWith(".parquet"));
  for (const place of ["data/chunk-000/", "meta/episodes/chunk-000/"]) {
    assert.equal(tables.filter((file) => file.startsWith(place)).length, frames.length, place);
  }
  assert.ok(tables.includes("meta/tasks.parquet") && files.includes("meta/stats.json"));
  for (const table of tables) {
    const bytes = readFileSync(join(folder, table));
    assert.deepEqual([bytes.toString("latin1", 0, 4), bytes.toString("latin1", bytes.length - 4)], ["PAR1", "PAR1"], table);
  }
  for (const camera of cameras) {
    const videos = files.filter((file) => file.startsWith(`videos/observation.images.${camera}/`));
    assert.deepEqual(videos.map((file) => pictures(join(folder, file))), frames, camera);
  }
  if (estimated) return "LeRobot was not asked: statistics are estimated";
  const python = process.env.FOREARM_LEROBOT_PYTHON;
  if (!python) return "LeRobot was not asked: FOREARM_LEROBOT_PYTHON names no Python that has it";
  const script = join(settings.root, "tests/python/dataset_check.py");
  const asked = spawnSync(python, [script, folder, "--episodes", String(frames.length)], {
    encoding: "utf8",
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1" },
  });
  assert.equal(asked.status, 0, `${asked.stdout}\n${asked.stderr}`);
  return asked.stdout.trim().split("\n").pop();
}
