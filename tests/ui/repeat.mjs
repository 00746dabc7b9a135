/**
 * Plays the end-to-end tests: `node repeat.mjs` every file once, `node repeat.mjs 20` the journey
 * twenty times. The last line is JSON with runs and passes; the exit code is 0 when all passed.
 */
import { spawn } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { readdirSync } from "node:fs";
import { ARTIFACTS } from "./lib/places.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const runs = Number(process.argv[2] ?? 1);
if (!Number.isInteger(runs) || runs < 1) {
  console.error("usage: node repeat.mjs [RUNS]");
  process.exit(64);
}
const files = runs > 1 ? ["journey.test.mjs"] : readdirSync(here).filter((name) => name.endsWith(".test.mjs")).sort();
const failures = join(ARTIFACTS, "..", "e2e-failed");
rmSync(failures, { recursive: true, force: true });

const seconds = [];
let passed = 0;
for (let round = 1; round <= runs; round += 1) {
  const began = Date.now();
  const ok = await play();
  seconds.push((Date.now() - began) / 1000);
  if (ok) passed += 1;
  else cpSync(ARTIFACTS, join(failures, String(round)), { recursive: true });
  if (runs > 1) console.log(`round ${round} of ${runs}: ${ok ? "passed" : "FAILED"} (${seconds.at(-1).toFixed(1)} s)`);
}
seconds.sort((a, b) => a - b);
const median = seconds[Math.floor(seconds.length / 2)];
console.log(JSON.stringify({ bench: "e2e", files, runs, passed, seconds_median: median, seconds_max: seconds.at(-1) }));
process.exitCode = passed === runs ? 0 : 1;

function play() {
  const options = ["--test", "--test-reporter=spec", "--test-concurrency=1", "--test-timeout=600000"];
  const child = spawn(process.execPath, [...options, ...files], { cwd: here, stdio: "inherit" });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code === 0));
  });
}
