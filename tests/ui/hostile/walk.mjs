/** Opens every record of the chart, in words and as JSON. */
import { until } from "../lib/processes.mjs";
import { VISIT } from "./page.mjs";

/** What takes longer than this hangs. */
const PATIENCE_MS = 10_000;

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
  const rows = `
    const current = document.querySelector('[data-testid="section-${section}"]')?.getAttribute("aria-current") === "true";
    return current && Number(document.querySelector("[data-index] [data-testid=record-row]")?.closest("li").getAttribute("aria-setsize") ?? 0);
  `;
  return until(`the rows of ${section} show`, () => app.web.execute(rows));
}

/** Opens the record at a row; hands back what was seen of it. An error when it does not show in time. */
export async function openRow(app, index) {
  const seen = await app.web.executeAsync(VISIT, [index, PATIENCE_MS], 2 * PATIENCE_MS);
  if (seen.error) throw new Error(seen.error);
  return seen;
}
