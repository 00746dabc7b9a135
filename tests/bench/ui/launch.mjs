/** Time from launch to the first row of the chart on screen, against an empty Tauri window. */
import { readFileSync } from "node:fs";
import { App } from "../../ui/lib/app.mjs";
import { APP } from "../../ui/lib/places.mjs";
import { until } from "../../ui/lib/processes.mjs";
import { EMPTY } from "./programs.mjs";

const TICKS_PER_SECOND = 100; // USER_HZ, the same on every Linux

/** When a process began, in milliseconds since 1970, to a hundredth of a second. */
function startOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const ticks = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
  const uptime = Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);
  return Date.now() - uptime * 1000 + (ticks / TICKS_PER_SECOND) * 1000;
}

/** Milliseconds from the launch of `binary` to the paint that its page notes. */
async function launch(desktop, binary, env) {
  const app = await App.start(desktop, { binary, env });
  try {
    const began = startOf(app.process().pid);
    const painted = await until("the first paint", () => app.web.execute("return Number(document.documentElement.dataset.firstRow ?? 0)"));
    return painted - began;
  } finally {
    await app.close();
  }
}

/** Both, taken in turns. */
export async function launches(desktop, runs, env) {
  const satchel = [];
  const empty = [];
  for (let run = 0; run <= runs; run += 1) {
    const times = [await launch(desktop, EMPTY, {}), await launch(desktop, APP, env)];
    console.log(`run ${run}${run === 0 ? " (warming up, not counted)" : ""}: empty window ${Math.round(times[0])} ms, first chart row ${Math.round(times[1])} ms`);
    if (run > 0) {
      empty.push(times[0]);
      satchel.push(times[1]);
    }
  }
  return { satchel, empty };
}
