/** Plays hostile.test.mjs: `node hostile.mjs`. The last line is JSON with its figures; the exit code is 0 when it passed. */
import { spawn } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ARTIFACTS, BUILD } from "./lib/places.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const result = join(ARTIFACTS, "hostile", "result.json");
rmSync(result, { force: true });

const child = spawn(process.execPath, ["--test", "--test-reporter=spec", "hostile.test.mjs"], { cwd: here, stdio: "inherit" });
const code = await new Promise((resolve, reject) => child.once("error", reject).once("exit", resolve));
let metrics = { cases: 0, executed: 0, fetched: 0 };
try {
  metrics = JSON.parse(readFileSync(result, "utf8"));
} catch {
  console.error("it ended before there was anything to count");
}
console.log(JSON.stringify({ bench: "test-hostile", build: BUILD, passed: code === 0, metrics }));
process.exitCode = code === 0 ? 0 : 1;
