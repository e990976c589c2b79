// Measures a gateway that runs, and prints tables: `node load.mjs reads|listeners|ingest`, with the settings that `run` gives.
import { listeners } from "./listeners.mjs";
import { load, memory } from "./process.mjs";
import { ingest, measured, reads } from "./requests.mjs";

const { LOAD_URL: url, LOAD_KEY: key, LOAD_GROUP: group, LOAD_PID: pid, LOAD_PROFILE: profile } = process.env;
const target = { url, key, group, pid: Number(pid), port: Number(new URL(url).port) };
const SECONDS = Number(process.env.LOAD_SECONDS);
const RATE = Number(process.env.LOAD_RATE);
const LISTENERS = process.env.LOAD_LISTENERS.split(",").map(Number);
// Groups, each with as many posts of a thousand lines.
const [POSTERS, POSTS] = [4, 10];

function table(rows) {
  const shown = rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, rounded(value)])));
  console.table(shown);
  console.log(`load average ${load()}; build profile ${profile}; RSS of the gateway ${memory(pid).toFixed(0)} MiB`);
}

const rounded = (value) => (typeof value === "number" && !Number.isInteger(value) ? Number(value.toFixed(2)) : value);

async function measureReads(rows = []) {
  for (const read of Object.entries(await reads(target))) rows.push(await measured(target, read, RATE, SECONDS));
  table(rows);
}

async function measureListeners() {
  const [open, rows] = [new Set(), []];
  for (const count of [0, ...LISTENERS]) {
    const row = await listeners(target, open, count);
    // Whether others are still served: one kind of read, at a tenth of the rate.
    const [read] = Object.entries(await reads(target));
    const { "p50 ms": p50, "p99 ms": p99, failed } = await measured(target, read, RATE / 10, SECONDS / 2);
    rows.push({ ...row, "read p50 ms": p50, "read p99 ms": p99, "reads failed": failed });
  }
  table(rows);
  for (const socket of open) socket.destroy();
}

const parts = { reads: measureReads, listeners: measureListeners, ingest: async () => table([await ingest(target, POSTERS, POSTS)]) };
await parts[process.argv[2]]();
