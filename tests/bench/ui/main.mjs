/**
 * What a person at the window waits for, in the real window (WebKitWebDriver under Xvfb, software rendering), and
 * what it costs: launch and memory against an empty Tauri window started the same way, frames while a timeline is
 * scrolled, interactions, and the size of the page's bundle. The last line is one JSON object.
 *
 *   node tests/bench/ui/main.mjs [RUNS] [RECORDS]     (after `make bench-ui` built the release programs)
 */
import { execFile } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { App } from "../../ui/lib/app.mjs";
import { Browser } from "../../ui/lib/browser.mjs";
import { Desktop } from "../../ui/lib/desktop.mjs";
import { connect, waitForSync } from "../../ui/lib/journey.mjs";
import { Mock } from "../../ui/lib/mock.mjs";
import { REPOSITORY } from "../../ui/lib/places.mjs";
import { writeChart } from "./chart.mjs";
import { launches } from "./launch.mjs";
import { memoryOf } from "./memory.mjs";
import { frames, waitFor } from "./page.mjs";
import { COMMAND_LINE, EMPTY } from "./programs.mjs";

const RUNS = Number(process.argv[2] ?? 9);
const RECORDS = Number(process.argv[3] ?? 100_000);
/** Kilobytes, compressed, of what is loaded before the first screen shows. */
const BUDGET_KB = 260;

const run = promisify(execFile);
const sorted = (values) => [...values].sort((a, b) => a - b);
const at = (values, share) => sorted(values)[Math.min(values.length - 1, Math.floor(values.length * share))];
const rounded = (value) => Number(value.toFixed(2));

/** Compressed sizes of the bundle: what the first page names, and everything. */
function bundle() {
  const dist = join(REPOSITORY, "ui", "dist");
  const page = readFileSync(join(dist, "index.html"), "utf8");
  const files = readdirSync(join(dist, "assets")).filter((name) => /\.(js|css)$/.test(name));
  const size = (names) => names.reduce((sum, name) => sum + gzipSync(readFileSync(join(dist, "assets", name))).length, 0) / 1024;
  return { first: size(files.filter((name) => page.includes(name))), all: size(files) };
}

/** Launches with a person's chart, pulled from the mock server as a person would do it. */
async function measureLaunch() {
  const desktop = await Desktop.open("bench-ui-launch");
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
    return await launches(desktop, RUNS, env);
  } finally {
    await mock?.stop();
    await desktop.close();
  }
}

/** One interaction of each kind, again and again. */
async function interactions(app) {
  const times = [];
  const take = async (what) => times.push(await waitFor(app, what));
  const row = "document.querySelector('[data-testid=record-row], [data-testid=summary-row]')";
  const title = `${row} && document.querySelector('[data-testid=chart-section-title]')?.textContent + ${row}.textContent`;
  const open = "document.querySelector('[data-testid=record-detail]')?.textContent.length ?? 0";
  for (let round = 0; round < 5; round += 1) {
    for (const section of ["problems", "medications", "immunizations", "timeline", "summary"]) {
      await take({ css: `[data-testid="section-${section}"]`, shown: title });
    }
    await take({ css: '[data-testid="section-labs"]', shown: title });
    await take({ css: `li:nth-child(${round + 1}) [data-testid="record-row"]`, shown: open });
    await take({ css: '[data-testid="record-close"]', shown: open });
  }
  await app.click("nav-search");
  await app.find("search-input");
  const hits = "[...document.querySelectorAll('[data-testid=search-hit]')].map((hit) => hit.textContent).join()";
  // One after the other finds something else: the same hits again would be nothing to wait for.
  for (const text of ["gl", "so", "me", "hem", "chol", "infl", "pota", "creat", "thyr", "colon", "diab", "glucose", "metformin", "a1c", "visit"]) {
    await take({ css: '[data-testid="search-input"]', text, shown: hits });
  }
  return times;
}

/** The window with a long chart open. */
async function measureChart() {
  const desktop = await Desktop.open("bench-ui-chart");
  try {
    const empty = await App.start(desktop, { binary: EMPTY });
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const emptyMb = memoryOf(empty);
    await empty.close();
    const file = join(desktop.outside, "chart.ndjson");
    await writeChart(file, RECORDS);
    await run(COMMAND_LINE, ["import", "--source", "Bench", file], { env: desktop.env });
    const app = await App.start(desktop, {});
    await app.find("summary-row", { ms: 60_000 });
    await app.click("section-timeline");
    await app.find("record-row", { ms: 60_000 });
    const scroll = await frames(app, { speed: 120, count: 240 });
    const fling = await frames(app, { speed: 3000, count: 120 });
    await app.screenshot("timeline");
    const waits = await interactions(app);
    await app.screenshot("search");
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const chartMb = memoryOf(app);
    await app.close();
    return { emptyMb, chartMb, scroll, fling, waits };
  } finally {
    await desktop.close();
  }
}

const sizes = bundle();
const { satchel, empty } = await measureLaunch();
const chart = await measureChart();
const all = [...chart.scroll, ...chart.fling];
const metrics = {
  runs: RUNS,
  records: RECORDS,
  first_chart_row_ms: Math.round(at(satchel, 0.5)),
  empty_window_ms: Math.round(at(empty, 0.5)),
  launch_ratio: rounded(at(satchel, 0.5) / at(empty, 0.5)),
  frames: all.length,
  frames_over_50_ms: all.filter((time) => time > 50).length,
  frame_p95_ms: rounded(at(all, 0.95)),
  frame_longest_ms: rounded(Math.max(...all)),
  interactions: chart.waits.length,
  interaction_to_paint_p50_ms: rounded(at(chart.waits, 0.5)),
  interaction_to_paint_p95_ms: rounded(at(chart.waits, 0.95)),
  empty_window_mb: Math.round(chart.emptyMb),
  chart_mb: Math.round(chart.chartMb),
  mb_above_empty_window: Math.round(chart.chartMb - chart.emptyMb),
  bundle_first_kb: Math.round(sizes.first),
  bundle_all_kb: Math.round(sizes.all),
};
const row = (name, value, target, met) => console.log(`${name.padEnd(52)} ${String(value).padStart(8)}   ${target}${met ? "" : ", missed"}`);
row("launch to the first row of a chart, of an empty window", metrics.launch_ratio, "at most 1.2", metrics.launch_ratio <= 1.2);
row("frames over 50 ms while the timeline is scrolled", metrics.frames_over_50_ms, "none", metrics.frames_over_50_ms === 0);
row("interaction to what was asked for, p95, ms", metrics.interaction_to_paint_p95_ms, "under 100", metrics.interaction_to_paint_p95_ms < 100);
row("memory above an empty window, all processes, MB", metrics.mb_above_empty_window, "at most 120", metrics.mb_above_empty_window <= 120);
row("bundle before the first screen, compressed, KB", metrics.bundle_first_kb, `at most ${BUDGET_KB}`, metrics.bundle_first_kb <= BUDGET_KB);
console.log(JSON.stringify({
  bench: "ui",
  machine: { os: `${process.platform} ${release()}`, cpu: cpus()[0]?.model, cores: cpus().length, memory_gb: Math.round(totalmem() / 2 ** 30), build: process.env.SATCHEL_BUILD ?? "debug", display: "Xvfb, software rendering" },
  metrics,
}));
process.exit();
