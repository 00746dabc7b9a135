/**
 * Hostile records in the real window: each is synced, opened in words and as JSON, and searched for. Nothing
 * in them runs, nothing is fetched, nothing hangs, and each still shows. What the kinds of cases are and
 * what is counted: docs/hostile.md.
 */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { connect as connectTo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { arm, corpus, writeCorpus } from "./hostile/corpus.mjs";
import { MARKUP } from "./hostile/markup.mjs";
import { ESCAPES, LOOK, TIDY, unprotected, WATCH } from "./hostile/page.mjs";
import { openRow, openSection, sections } from "./hostile/walk.mjs";
import { App } from "./lib/app.mjs";
import { Browser } from "./lib/browser.mjs";
import { Canary } from "./lib/canary.mjs";
import { Desktop } from "./lib/desktop.mjs";
import { connect, waitForSync } from "./lib/journey.mjs";
import { Mock } from "./lib/mock.mjs";
import { until } from "./lib/processes.mjs";
import { stepsOf } from "./lib/steps.mjs";

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const WORDS = ["script", "onerror", "javascript", "asthma", "penicillin", "readable", "polluted", "<img src=x onerror=alert(1)>", "\u202egnp", "__proto__"];

const ANSWERED = `return /\\d|Nothing/.test(document.querySelector("p[role=status]")?.innerText ?? "")`;

test("hostile records run nothing, fetch nothing, and show", { timeout: 300_000 }, async (t) => {
  const began = Date.now();
  let desktop;
  let mock;
  let app;
  let canary;
  let cases;
  let browser;
  const step = stepsOf(t, () => desktop);
  const seen = new Map();
  const wrong = { executed: [], fetched: [], live: [], hung: [], hidden: [], other: [] };
  const refused = new Set();
  let armed = new Set();
  let slowest = { ms: 0, name: "" };

  const start = async () => {
    app = await App.start(desktop, { env: { SATCHEL_MOCK_SERVER: mock.base } });
    await until("the page is there", () => app.web.execute(`${WATCH}; return true`));
  };

  /** Holds what the page is like against what it has to be like. */
  const judge = (look, where) => {
    for (const number of look.ran) wrong.executed.push(cases[number]?.name ?? `${number} at ${where}`);
    for (const line of look.refused) refused.add(`${line} at ${where}`);
    for (const html of look.live) wrong.live.push(`${html} at ${where}`);
    if (!look.own) wrong.other.push(`the document's own names are shadowed at ${where}`);
    if (look.polluted) wrong.other.push(`every object was changed at ${where}`);
    if (!/^tauri:\/\/localhost\/?$/.test(look.at)) wrong.other.push(`the window is at ${look.at} after ${where}`);
    if (look.title !== "Satchel") wrong.other.push(`the window is called ${look.title} at ${where}`);
  };

  /** The case that an open record is, by what its JSON says. */
  const caseOf = ({ length, text, start: head, end }) =>
    cases.find(({ json }) => (text === undefined ? json.length === length && json.startsWith(head) && json.endsWith(end) : json === text));

  const visit = async (section, index) => {
    try {
      const record = await openRow(app, index);
      const found = caseOf(record.json);
      const where = found?.name ?? `row ${index} of ${section}`;
      for (const look of record.looks) judge(look, where);
      if (!record.row.trim() || !record.heading.trim() || !record.overview.trim()) wrong.hidden.push(`${where}: row "${record.row}", heading "${record.heading}", words "${record.overview}"`);
      if (found) seen.set(found.number, record.ms);
      if (record.ms > slowest.ms) slowest = { ms: record.ms, name: where };
    } catch (error) {
      wrong.hung.push(`row ${index} of ${section}: ${error.message}`);
      // What hangs or crashes once would make everything after it fail too.
      await desktop.screenshot("HUNG").catch(() => {});
      await app.kill();
      await start();
      await openSection(app, section);
    }
  };

  try {
    await step("a desktop, a canary that nobody may reach, and a server with hostile records", async () => {
      desktop = await Desktop.open("hostile");
      canary = await Canary.start();
      cases = corpus(canary.origins);
      const folder = join(desktop.outside, "records");
      mkdirSync(folder);
      writeCorpus(folder, cases, canary.origins);
      mock = await Mock.start(desktop, { load: folder });
      assert.ok(cases.length >= 100, `${cases.length} cases`);
    });

    await step("the canary counts: a request, and a connection that says nothing, on each of its addresses", async () => {
      assert.equal(canary.origins.length, 2, "this machine has an address beside loopback");
      for (const origin of canary.origins) {
        canary.reset();
        assert.equal((await fetch(`${origin}/probe`)).status, 404);
        assert.deepEqual(canary.paths, ["/probe"]);
        const { hostname, port } = new URL(origin);
        const before = canary.connections;
        const silent = connectTo(Number(port), hostname);
        await until("the silent connection is counted", () => canary.connections > before);
        silent.destroy();
      }
      canary.reset();
    });

    let control;
    await step("the chart arrives", async () => {
      await start();
      browser = await Browser.start(desktop, mock.origin);
      await connect({ desktop, app, browser, mock });
      await waitForSync(app, { ms: 120_000 });
      control = await browser.context.newPage();
    });

    await step("without protection the same markup does run and fetch, so that silence says something", async () => {
      const markup = cases.filter(({ kind }) => kind === "narrative");
      for (const origin of canary.origins) {
        await control.goto(`${origin}/control`);
        const own = markup.filter(({ number }) => canary.origins[number % canary.origins.length] === origin);
        const ran = await control.evaluate(unprotected, own.map(({ name, number }) => arm(MARKUP[name], number, canary.origins)));
        armed = new Set([...armed, ...ran, ...canary.paths.map((path) => Number(path.slice(1)))].filter((number) => cases[number]));
      }
      const unarmed = markup.filter(({ number }) => !armed.has(number)).map(({ name }) => name);
      t.diagnostic(`of ${markup.length} pieces of markup ${markup.length - unarmed.length} run or fetch in Chromium; not: ${unarmed.join("; ")}`);
      assert.ok(unarmed.length < markup.length / 4, `most of them do, but not: ${unarmed.join("; ")}`);
      await browser.close();
      canary.reset();
    });

    await step("a script that does run is seen", async () => {
      await app.web.execute(arm("RUN", 0, canary.origins));
      assert.deepEqual((await app.web.execute(LOOK)).ran, [0]);
      await app.web.execute(TIDY);
      assert.deepEqual((await app.web.execute(LOOK)).ran, []);
    });

    await step("even a script of the page's own reaches nothing and leads nowhere", async () => {
      for (const origin of canary.origins) {
        const ways = await app.web.execute(ESCAPES, `${origin}/escape`);
        await pause(1500);
        const look = await app.web.execute(LOOK);
        t.diagnostic(`${Object.keys(ways).length} ways: ${look.refused.length} refused by the policy, ${Object.values(ways).filter(Boolean).length} with an error`);
        assert.deepEqual(canary.paths, [], "nothing was fetched");
        assert.equal(canary.connections, 0, "nobody connected");
        assert.deepEqual(look.ran.filter((what) => what !== "open"), [], "no text became a script");
        assert.equal(new URL(look.at).protocol, "tauri:", "the window is where it was");
        assert.ok(look.refused.length >= 15, `the policy refused: ${look.refused.join("; ")}`);
        await app.web.execute(TIDY);
      }
      assert.equal(desktop.addressesWaiting(), 0, "no browser was opened");
      await app.close();
      await start();
    });

    await step("every record opens, in words and as JSON", async () => {
      await app.find("patient-name");
      judge(await app.web.execute(LOOK), "the chart");
      await app.screenshot("chart");
      for (const section of await sections(app)) {
        const rows = await openSection(app, section);
        for (let index = 0; index < rows; index += 1) await visit(section, index);
        await app.screenshot(section);
      }
      const missing = cases.filter(({ number }) => !seen.has(number));
      wrong.hidden.push(...missing.map(({ kind, name }) => `${kind}: ${name} is not in the chart as it was sent`));
    });

    await step("search finds them, and shows hits as text", async () => {
      await app.click("nav-search");
      for (const word of WORDS) {
        await app.fill("search-input", word);
        // The field waits a moment before it asks.
        await pause(250);
        await until(`an answer to ${word}`, () => app.web.execute(ANSWERED));
        judge(await app.web.execute(LOOK), `the search for ${word}`);
        await app.screenshot("search");
      }
      await app.fill("search-input", "onerror");
      await app.click("search-hit");
      await app.find("record-detail");
      judge(await app.web.execute(LOOK), "a hit that was opened");
    });

    await step("the other screens", async () => {
      for (const place of ["nav-connections", "nav-trace", "nav-connect", "nav-chart"]) {
        await app.click(place);
        await pause(300);
        judge(await app.web.execute(LOOK), place);
      }
      await pause(1000);
      judge(await app.web.execute(LOOK), "the end");
    });

    await step("nothing ran, nothing was fetched, nothing hung, everything showed", () => {
      wrong.fetched = canary.paths.map((path) => cases[Number(path.slice(1))]?.name ?? path);
      assert.deepEqual(Object.fromEntries(Object.entries(wrong).map(([what, list]) => [what, list.length])), { executed: 0, fetched: 0, live: 0, hung: 0, hidden: 0, other: 0 });
      assert.equal(canary.connections, 0);
      assert.equal(desktop.addressesWaiting(), 0, "no browser was opened");
    });
  } finally {
    for (const [what, list] of Object.entries({ ...wrong, refused: [...refused] })) {
      for (const line of [...new Set(list)].slice(0, 20)) t.diagnostic(`${what}: ${line}`);
    }
    const slow = [...seen].sort(([, one], [, other]) => other - one).slice(0, 12);
    t.diagnostic(`slowest: ${slow.map(([number, ms]) => `${cases[number].name} ${ms} ms`).join("; ")}`);
    if (cases) {
      const kinds = {};
      for (const { kind } of cases) kinds[kind] = (kinds[kind] ?? 0) + 1;
      writeFileSync(join(desktop.artifacts, "result.json"), JSON.stringify({
        cases: cases.length, executed: new Set(wrong.executed).size, fetched: Math.max(wrong.fetched.length, canary.connections), blocked: refused.size,
        live: new Set(wrong.live).size, hung: wrong.hung.length, not_shown: wrong.hidden.length, other: wrong.other.length, shown: seen.size,
        run_without_protection: armed.size, slowest_ms: slowest.ms, slowest: slowest.name, seconds: Math.round((Date.now() - began) / 1000), kinds,
      }));
    }
    await app?.close();
    await mock?.stop();
    await canary?.stop();
    await desktop?.close();
  }
});
