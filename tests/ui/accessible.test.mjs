/**
 * Every screen with made-up people, in a real browser that lays out and paints: axe finds nothing in light and
 * dark, in a small window and at 200 %, the main ones in Spanish and from right to left too; nothing is cut off
 * sideways; the keyboard reaches what the mouse does; no word of the window is missing from the catalogue.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { chromium as playwright } from "playwright-core";
import { chromium, REPOSITORY } from "./lib/places.mjs";

const UI = join(REPOSITORY, "ui");
const AXE = readFileSync(join(UI, "node_modules", "axe-core", "axe.min.js"), "utf8");
/** WCAG 2.2 AA, and what axe calls good practice. */
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** A scene, a place, and what is clicked there first. */
const SCREENS = [
  ["first", "/connect"],
  ["signin", "/connect"],
  ["denied", "/connect"],
  ["launch", "/connect"],
  ["nokeychain", "/"],
  ["chart", "/chart"],
  ["chart", "/chart?section=timeline"],
  ["chart", "/chart?section=labs"],
  ["chart", "/chart?section=goals"],
  ["chart", "/chart?section=labs&type=Observation&id=lab0"],
  ["chart", "/chart?section=documents&type=DocumentReference&id=doc1"],
  ["chart", "/chart?section=documents&type=DocumentReference&id=doc3"],
  ["chart", "/chart?section=documents&type=DocumentReference&id=doc4"],
  ["chart", "/chart?section=patient&type=Patient&id=p1"],
  ["people", "/chart"],
  ["people", "/chart?section=problems&type=Condition&id=k1"],
  ["maybe", "/chart"],
  ["syncing", "/chart"],
  ["offline", "/chart"],
  ["lost", "/chart"],
  ["long", "/chart"],
  ["empty", "/chart"],
  ["many", "/connections"],
  ["chart", "/connections"],
  ["chart", "/search?words=blood"],
  ["chart", "/search"],
  ["chart", "/trace"],
  ["locked", "/"],
  ["wait", "/"],
  ["chart", "/privacy"],
  ["passphrase", "/privacy"],
  ["passphrase", "/privacy", "passphrase-change"],
];

/** What is looked at in other languages: one of each kind of screen. */
const MAIN = [
  ["first", "/connect"],
  ["signin", "/connect"],
  ["nokeychain", "/"],
  ["people", "/chart"],
  ["chart", "/chart?section=timeline"],
  ["chart", "/chart?section=labs&type=Observation&id=lab0"],
  ["chart", "/chart?section=patient&type=Patient&id=p1"],
  ["chart", "/chart?section=documents&type=DocumentReference&id=doc3"],
  ["many", "/connections"],
  ["chart", "/search?words=blood"],
];

/** A name, the window, how much larger everything is, the language, and what is looked at. */
const VIEWS = [
  ["light", { width: 1180, height: 800 }, 1, "en", SCREENS],
  ["dark", { width: 1180, height: 800 }, 1, "en", SCREENS],
  ["light", { width: 420, height: 760 }, 1, "en", SCREENS],
  ["dark", { width: 1280, height: 900 }, 2, "en", SCREENS],
  ["light", { width: 420, height: 760 }, 1, "es", MAIN],
  ["dark", { width: 1180, height: 800 }, 1, "ar-XB", MAIN],
];

let server;
let browser;
let origin;

before(async () => {
  server = spawn(join(UI, "node_modules", ".bin", "vite"), ["--port", "0", "--host", "127.0.0.1"], { cwd: UI, stdio: ["ignore", "pipe", "inherit"] });
  origin = await new Promise((resolve, reject) => {
    let said = "";
    server.stdout.on("data", (part) => {
      said += part;
      // eslint-disable-next-line no-control-regex -- vite colours what it says
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(said.replace(/\u001b\[\d+m/g, ""));
      if (found) resolve(found[0]);
    });
    server.once("exit", (code) => reject(new Error(`vite ended with ${code}: ${said}`)));
  });
  browser = await playwright.launch({ executablePath: chromium(), args: process.getuid() === 0 ? ["--no-sandbox"] : [] });
});

after(async () => {
  await browser?.close();
  server?.kill();
});

async function open(page, scene, at, theme, lang = "en") {
  await page.goto(`${origin}/?${new URLSearchParams({ scene, theme, at, lang })}`);
  await page.waitForSelector("main, [data-testid=problem]");
  await page.waitForFunction(() => document.querySelector("[data-waiting]") === null);
  await page.waitForTimeout(250);
}

for (const [theme, viewport, zoom, lang, screens] of VIEWS) {
  test(`axe finds nothing: ${theme}, ${viewport.width} pixels wide, ${zoom * 100} %, ${lang}`, async () => {
    // A page at 200 % has half the pixels of its window to lay out in.
    const size = { width: viewport.width / zoom, height: viewport.height / zoom };
    const context = await browser.newContext({ viewport: size, deviceScaleFactor: zoom, reducedMotion: "reduce" });
    const page = await context.newPage();
    const failures = [];
    for (const [scene, at, first] of screens) {
      await open(page, scene, at, theme, lang);
      if (first) await page.click(`[data-testid=${first}]`);
      await page.evaluate(AXE);
      const violations = await page.evaluate(async (tags) => {
        const result = await globalThis.axe.run(document, { runOnly: { type: "tag", values: tags } });
        return result.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, any }) => `${html.slice(0, 160)} ${any.map(({ message }) => message).join(" ")}`).slice(0, 3).join(" | ")}`);
      }, TAGS);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (wide > 1) violations.push(`${wide} pixels stand out sideways`);
      failures.push(...violations.map((text) => `${scene} ${at}: ${text}`));
    }
    await context.close();
    assert.deepEqual(failures, []);
  });
}

test("no word of the window is missing from the catalogue", async () => {
  const page = await browser.newPage({ viewport: { width: 1180, height: 800 } });
  const plain = [];
  for (const [scene, at] of MAIN.filter(([, at]) => !at.includes("type="))) {
    await open(page, scene, at, "light", "en-XA");
    // What a source says is in its own words; dates and numbers are not accented.
    const found = await page.evaluate(() => {
      const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      const said = [];
      while (texts.nextNode()) {
        const { data, parentElement } = texts.currentNode;
        if (!parentElement.closest("bdi, mark, script, style, option[lang], [data-testid=chart-switcher] option, [aria-hidden=true], [data-testid=search-hit]")) said.push(data);
      }
      return said.filter((text) => /[a-z]{4}/.test(text) && !/[áéíóúýñçš~]/i.test(text));
    });
    plain.push(...found.map((text) => `${scene} ${at}: ${text}`));
  }
  await page.close();
  assert.deepEqual(plain, []);
});

test("axe sees what is wrong", async () => {
  const page = await browser.newPage();
  await page.setContent('<html lang="en"><title>t</title><main><h1>h</h1><img src="x"><p style="color:#bbb;background:#fff">pale</p></main></html>');
  await page.evaluate(AXE);
  const ids = await page.evaluate(async () => (await globalThis.axe.run()).violations.map(({ id }) => id));
  assert.ok(ids.includes("image-alt") && ids.includes("color-contrast"), ids.join());
  await page.close();
});

test("a lock is opened, and set again, by the keyboard alone", async () => {
  const page = await browser.newPage({ viewport: { width: 1180, height: 800 } });
  await open(page, "locked", "/chart", "light");
  await page.keyboard.type("four plain old words");
  await page.keyboard.press("Enter");
  await page.waitForSelector("[data-testid=patient-name]");
  await page.keyboard.press("Control+l");
  await page.waitForSelector("[data-testid=lock-screen]");
  assert.equal(await page.locator("[data-testid=patient-name]").count(), 0);
  assert.equal(await page.evaluate(() => document.activeElement.dataset.testid), "unlock-passphrase");
  await page.close();
});

test("a record of the summary is reached, opened and closed by the keyboard alone", async () => {
  const page = await browser.newPage({ viewport: { width: 1180, height: 800 } });
  await open(page, "chart", "/chart", "light");
  let reached = false;
  for (let step = 0; step < 60 && !reached; step += 1) {
    await page.keyboard.press("Tab");
    const seen = await page.evaluate(() => {
      const at = document.activeElement;
      const style = getComputedStyle(at);
      return { id: at.dataset.testid, outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0 };
    });
    assert.ok(seen.outlined, `what has the focus shows it: ${seen.id}`);
    reached = seen.id === "summary-row";
  }
  assert.ok(reached, "Tab comes to a record");
  await page.keyboard.press("Enter");
  await page.waitForSelector("[data-testid=record-detail] h2");
  await page.close();
});
