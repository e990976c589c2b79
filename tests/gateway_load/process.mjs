// What a process takes, as Linux tells it.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

// Ticks of a second in /proc/PID/stat.
const TICKS = Number(execFileSync("getconf", ["CLK_TCK"]));

/** Resident memory in MiB. */
export function memory(pid) {
  const told = readFileSync(`/proc/${pid}/status`, "utf8").match(/^VmRSS:\s+(\d+) kB$/m);
  return Number(told[1]) / 1024;
}

/** Time of the processor that was taken so far, in s. */
export function processor(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").pop().split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

export const load = () => readFileSync("/proc/loadavg", "utf8").split(" ").slice(0, 2).join(" ");
export const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
