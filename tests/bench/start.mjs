/**
 * Time from launch to the first row of the chart on screen, against an empty Tauri window started
 * the same way (WebKitWebDriver under Xvfb). The last line is one JSON object.
 *
 *   node tests/bench/start.mjs [RUNS]     (after `make bench-start` built the release programs)
 */
import { cpus, totalmem, release } from "node:os";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { App } from "../ui/lib/app.mjs";
import { Browser } from "../ui/lib/browser.mjs";
import { Desktop } from "../ui/lib/desktop.mjs";
import { connect, waitForSync } from "../ui/lib/journey.mjs";
import { Mock } from "../ui/lib/mock.mjs";
import { APP, BUILD } from "../ui/lib/places.mjs";
import { until } from "../ui/lib/processes.mjs";

const RUNS = Number(process.argv[2] ?? 9);
const EMPTY = join(BUILD, "examples", "empty_window");
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

const sorted = (values) => [...values].sort((a, b) => a - b);
const median = (values) => sorted(values)[Math.floor(values.length / 2)];
const whole = (values) => sorted(values).map(Math.round);

const desktop = await Desktop.open("bench-start");
let mock;
try {
  mock = await Mock.start(desktop, { patients: 3 });
  const env = { SATCHEL_MOCK_SERVER: mock.base };
  const app = await App.start(desktop, { env });
  const browser = await Browser.start(desktop, mock.origin);
  await connect({ desktop, app, browser, mock });
  await waitForSync(app);
  await browser.close();
  await app.close();

  const satchel = [];
  const empty = [];
  for (let run = 0; run <= RUNS; run += 1) {
    const times = [await launch(desktop, EMPTY, {}), await launch(desktop, APP, env)];
    console.log(`run ${run}${run === 0 ? " (warming up, not counted)" : ""}: empty window ${Math.round(times[0])} ms, first chart row ${Math.round(times[1])} ms`);
    if (run > 0) {
      empty.push(times[0]);
      satchel.push(times[1]);
    }
  }
  console.log(JSON.stringify({
    bench: "start",
    machine: { os: `${process.platform} ${release()}`, cpu: cpus()[0]?.model, cores: cpus().length, memory_gb: Math.round(totalmem() / 2 ** 30), build: process.env.SATCHEL_BUILD ?? "debug", display: "Xvfb, software rendering" },
    metrics: {
      runs: RUNS,
      first_chart_row_ms: Math.round(median(satchel)),
      empty_window_ms: Math.round(median(empty)),
      difference_ms: Math.round(median(satchel) - median(empty)),
      ratio: Number((median(satchel) / median(empty)).toFixed(3)),
      all_first_chart_row_ms: whole(satchel),
      all_empty_window_ms: whole(empty),
    },
  }));
} finally {
  await mock?.stop();
  await desktop.close();
}
process.exit();
