/** Child processes that are sure to end: each is its own group, remembered until it is gone. */
import { spawn } from "node:child_process";
import { createWriteStream, readFileSync, readdirSync } from "node:fs";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

const running = new Set();

/**
 * Starts a program in a process group of its own. `log` is the file that takes its stderr, and its
 * stdout unless `stdout: "pipe"` asks for that. Extra pipes: `extraFds` (3, 4, ...).
 */
export function start(program, args, { env, cwd, log, stdin = "ignore", stdout = "log", extraFds = 0 } = {}) {
  const child = spawn(program, args, {
    env,
    cwd,
    detached: true,
    stdio: [stdin, "pipe", "pipe", ...Array(extraFds).fill("pipe")],
  });
  running.add(child);
  const sink = log ? createWriteStream(log, { flags: "a" }) : undefined;
  for (const stream of stdout === "log" ? [child.stdout, child.stderr] : [child.stderr]) {
    if (sink) stream.pipe(sink, { end: false });
    else stream.resume();
  }
  child.once("exit", () => running.delete(child));
  child.failed = new Promise((_, reject) => child.once("error", reject));
  child.failed.catch(() => running.delete(child));
  return child;
}

/** Ends a child and its whole group: asks first, insists after `graceMs`. */
export async function stop(child, { signal = "SIGTERM", graceMs = 4000 } = {}) {
  if (!child || !child.pid) return;
  const gone = child.exitCode !== null || child.signalCode !== null;
  if (!gone) {
    const exited = once(child, "exit");
    signalGroup(child.pid, signal);
    await Promise.race([exited, sleep(graceMs, undefined, { ref: false })]);
  }
  signalGroup(child.pid, "SIGKILL");
}

function signalGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

/** Reads one process's file in /proc; empty when the process is gone. */
function proc(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`);
  } catch {
    return Buffer.alloc(0);
  }
}

/** Every process whose environment carries `marker`, as { pid, ppid, args }; this one excepted. */
export function processesWith(marker) {
  const needle = Buffer.from(marker);
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => proc(pid, "environ").includes(needle))
    .map((pid) => ({ pid: Number(pid), ...parentAndArgs(pid) }));
}

function parentAndArgs(pid) {
  const stat = proc(pid, "stat").toString();
  const ppid = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  return { ppid, args: proc(pid, "cmdline").toString().split("\0").slice(0, -1) };
}

/** Sends `signal` to one process, if it still runs. */
export function signalOne(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

/** Asks until `probe` returns something truthy, which it hands back; throws `what` after `ms`. */
export async function until(what, probe, { ms = 20_000, every = 50 } = {}) {
  const end = Date.now() + ms;
  let last;
  for (;;) {
    try {
      const answer = await probe();
      if (answer) return answer;
      last = undefined;
    } catch (error) {
      if (error.fatal) throw error;
      last = error;
    }
    if (Date.now() >= end) throw new Error(`waited ${ms} ms in vain: ${what}`, { cause: last });
    await sleep(every);
  }
}

// A harness that is killed takes its children along.
function endAll() {
  for (const child of running) signalGroup(child.pid, "SIGKILL");
}
process.once("exit", endAll);
for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]]) {
  process.once(signal, () => process.exit(code));
}
