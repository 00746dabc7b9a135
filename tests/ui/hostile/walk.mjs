/** Opens every record of the chart as a person would, in words and as JSON. */
import { WebDriverError } from "../lib/webdriver.mjs";
import { until } from "../lib/processes.mjs";
import { JSON_SHOWN, LOOK, PANE, ROW, UNFOLD } from "./page.mjs";

/** What takes longer than this hangs. */
export const PATIENCE_MS = 12_000;

const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";

/** Ids of the sections that hold records. */
export async function sections(app) {
  const script = `return [...document.querySelectorAll('[data-testid^="section-"]')].filter((one) => /[1-9]/.test(one.innerText)).map((one) => one.dataset.testid.slice(8))`;
  return until("sections show", async () => {
    const found = await app.web.execute(script);
    return found.length > 0 && found;
  });
}

/** Opens a section; hands back how many rows it has. */
export async function openSection(app, section) {
  await app.click(`section-${section}`);
  const title = `return document.querySelector('[data-testid="section-${section}"]')?.getAttribute("aria-current") !== null && Number(document.querySelector("[data-index] [data-testid=record-row]")?.closest("li").getAttribute("aria-setsize") ?? 0)`;
  return until(`the rows of ${section} show`, () => app.web.execute(title));
}

/** Opens the record at a row; hands back what was seen of it. */
export async function openRow(app, index) {
  const began = Date.now();
  const options = { ms: PATIENCE_MS, every: 15 };
  await until(`row ${index} can be clicked`, async () => {
    const row = await app.web.execute(ROW, index);
    if (!row) return false;
    try {
      await app.web.click(row[ELEMENT]);
    } catch (error) {
      if (error instanceof WebDriverError && error.code !== "invalid session id") return false;
      throw Object.assign(error, { fatal: true });
    }
    return true;
  }, options);
  const pane = await until(`the record of row ${index} shows`, async () => {
    const found = await app.web.execute(PANE, index);
    if (found.problem) throw Object.assign(new Error(`a problem in its place: ${found.problem}`), { fatal: true });
    return found.current && found.ready && found;
  }, options);
  await until("its parts open", async () => (await app.web.execute(UNFOLD, false)) === 0, options);
  await app.web.execute(UNFOLD, true);
  const words = await app.web.execute(LOOK);
  const overview = (await app.web.execute(PANE, index)).overview;
  const [tab] = await app.web.elements('[data-testid="tab-json"]');
  await app.web.click(tab);
  const json = await until("its JSON shows", () => app.web.execute(JSON_SHOWN), options);
  const looks = [words, await app.web.execute(LOOK)];
  return { ...pane, overview, json, looks, ms: Date.now() - began };
}
