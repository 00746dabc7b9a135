/** Documents: what is not here says why, and can be asked for; what was found inside of one says so. */
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { CLINICAL } from "../dev/documents";
import type { AttachmentView, NarrativeCell, NarrativeNode } from "../src/api/bindings";
import { openApp } from "./support";

const DOCUMENT = "/chart?section=documents&type=DocumentReference&id=doc1";

/** The parts of a record are loaded when the first is opened. */
const SLOW = { timeout: 5_000 };

const missing: AttachmentView = {
  contentType: "application/pdf", title: "Old file", text: null, clinical: null, html: null, size: 32_505_856, base64: null,
  missing: "Not fetched: this document is larger than what Satchel fetches by itself.", tooLarge: true, canFetch: true, difference: null,
};

test("a document that is too large says how large it is, and is fetched when the person says so", async () => {
  const engine = openApp("chart", DOCUMENT);
  engine.answer("attachments_get", () => [missing]);
  expect(await screen.findByTestId("attachment-missing", {}, SLOW)).toHaveTextContent("Not fetched");
  expect(screen.getByTestId("attachment")).toHaveTextContent("MB");
  engine.answer("attachments_get", () => [{ ...missing, missing: null, canFetch: false, text: "It is here now" }]);
  await userEvent.click(screen.getByRole("button", { name: "Fetch it anyway" }));
  expect(await screen.findByText("It is here now")).toBeVisible();
  expect(engine.calls.find(({ command }) => command === "attachment_fetch")?.args).toMatchObject({ position: 0 });
});

test("what cannot be fetched has no button, and a failure is said beside the document", async () => {
  const engine = openApp("chart", DOCUMENT);
  engine.answer("attachments_get", () => [{ ...missing, tooLarge: false, canFetch: true }, { ...missing, canFetch: false }]);
  engine.answer("attachment_fetch", () => {
    throw { code: "network.unreachable", message: "The server could not be reached.", advice: "Try again.", detail: null, canRetry: true } as unknown as Error;
  });
  const buttons = await screen.findAllByRole("button", { name: /Fetch it/ }, SLOW);
  expect(buttons.map((button) => button.textContent)).toEqual(["Fetch it now"]);
  await userEvent.click(buttons[0]!);
  expect(await screen.findByText("The server could not be reached.")).toBeVisible();
});

test("a hit inside of a document says so", async () => {
  const engine = openApp("chart", "/search?words=progress");
  await waitFor(() => { expect(engine.calls.some(({ command }) => command === "search")).toBe(true); });
  const inside = await screen.findAllByTestId("in-document");
  expect(inside[0]).toHaveTextContent("Found in the document");
});

test("a document is opened in another program or saved, and it is said that the copy is not encrypted", async () => {
  const engine = openApp("chart", DOCUMENT);
  engine.answer("attachments_get", () => [{ ...missing, missing: null, canFetch: false }]);
  await userEvent.click(await screen.findByTestId("attachment-open", {}, SLOW));
  expect(await screen.findByText(/^Saved as .*not encrypted/)).toBeVisible();
  await userEvent.click(screen.getByTestId("attachment-save"));
  const asked = engine.calls.filter(({ command }) => command === "attachment_save").map(({ args }) => args?.open);
  expect(asked).toEqual([true, false]);
});

test("what no other program shows safely is saved only", async () => {
  const engine = openApp("chart", DOCUMENT);
  engine.answer("attachments_get", () => [{ ...missing, contentType: "text/html", missing: null, canFetch: false, text: "Seen today" }]);
  expect(await screen.findByTestId("attachment-save", {}, SLOW)).toBeVisible();
  expect(screen.queryByTestId("attachment-open")).toBeNull();
});

const CLINICAL_DOCUMENT = DOCUMENT.replace("doc1", "doc3");

test("a clinical document says who wrote it about whom, and has its sections, tables and lists under their names", async () => {
  openApp("chart", CLINICAL_DOCUMENT);
  const paper = within(await screen.findByRole("region", { name: "Continuity of Care Document" }, SLOW));
  const facts = ["PatientAda Marie Lindqvist", "DateNov 19, 2026, 03:10 PM (UTC−6)", "Written byDr. Samuel Okafor, MDLakeside Records 7.2", "Kept byLakeside Family Clinic"];
  for (const fact of facts) expect(screen.getByTestId("clinical-document")).toHaveTextContent(fact);
  expect(paper.getByRole("heading", { level: 3 })).toHaveTextContent("Continuity of Care Document");
  expect(paper.getAllByRole("heading", { level: 4 }).map((heading) => heading.textContent)).toEqual([
    "Allergies and adverse reactions", "Medications", "Results", "Assessment and plan", "Procedures", "Section without a title",
  ]);
  const plan = within(paper.getByRole("region", { name: "Assessment and plan" }));
  expect(plan.getAllByRole("heading", { level: 5 }).map((heading) => heading.textContent)).toEqual(["Plan of treatment", "Instructions"]);
  expect(within(plan.getByRole("list")).getAllByRole("listitem")).toHaveLength(3);
  const allergies = within(paper.getByRole("region", { name: "Table: Allergies and adverse reactions" }));
  expect(allergies.getByRole("columnheader", { name: "Severity" })).toHaveAttribute("scope", "col");
  expect(allergies.getByRole("cell", { name: "Hives, swollen lips" })).toBeVisible();
  expect(paper.getByRole("region", { name: "Procedures" })).toHaveTextContent("No information");
  expect(paper.getByText(/Electrocardiogram/)).toHaveTextContent("Picture, in the file only.");
});

test("the list of sections leads to each by the keyboard, and a long table begins short", async () => {
  openApp("chart", CLINICAL_DOCUMENT);
  const contents = within(await screen.findByRole("navigation", { name: "Sections of this document" }, SLOW));
  contents.getByRole("button", { name: "Instructions" }).focus();
  await userEvent.keyboard("{Enter}");
  expect(screen.getByRole("heading", { name: "Instructions" })).toHaveFocus();
  const results = screen.getByRole("table", { name: "Laboratory results of the last ten years" });
  expect(within(results).getAllByRole("row")).toHaveLength(101);
  await userEvent.click(screen.getByRole("button", { name: "Show all 240" }));
  expect(within(results).getAllByRole("row")).toHaveLength(241);
});

test("a clinical document that is cut or has no sections says so, and what it says is text", async () => {
  const engine = openApp("chart", CLINICAL_DOCUMENT);
  const markup = "<img src=x onerror=alert(1)>";
  engine.answer("attachments_get", () => [
    { ...missing, missing: null, contentType: "application/xml", clinical: { ...CLINICAL, title: markup, cut: true, sections: [] } },
  ]);
  expect(await screen.findByText(/^Only the beginning of this document/, {}, SLOW)).toBeVisible();
  expect(screen.getByText(/^This document has no sections/)).toBeVisible();
  expect(screen.getByTestId("clinical-document")).toHaveTextContent(markup);
  expect(screen.getByTestId("clinical-document").querySelector("img")).toBeNull();
});

test("a table in a cell has a name, and a heading names its row, or its column where all of the row are headings", async () => {
  const engine = openApp("chart", CLINICAL_DOCUMENT);
  const cell = (heading: boolean, text: string): NarrativeCell => ({ heading, columns: 1, rows: 2, children: [{ kind: "text", text }] });
  const inner: NarrativeNode = { kind: "table", caption: [], head: [], body: [[cell(false, "inner")]] };
  const table: NarrativeNode = { kind: "table", caption: [], head: [], body: [[cell(true, "Side"), cell(true, "Seen")], [cell(true, "Left"), { ...cell(false, ""), children: [inner] }]] };
  const sections = [{ title: "Ears", absent: null, sections: [], content: [table] }];
  engine.answer("attachments_get", () => [{ ...missing, missing: null, contentType: "application/xml", clinical: { ...CLINICAL, sections } }]);
  expect(await screen.findAllByRole("region", { name: "Table: Ears" }, SLOW)).toHaveLength(2);
  expect(screen.getByRole("columnheader", { name: "Side" })).toHaveAttribute("scope", "col");
  expect(screen.getByRole("rowheader", { name: "Left" })).toHaveAttribute("rowspan", "2");
});

test("HTML is shown with its structure, its headings below those of the page, and without links and pictures", async () => {
  openApp("chart", DOCUMENT.replace("doc1", "doc4"));
  const paper = within(await screen.findByRole("region", { name: "Letter of referral" }, SLOW));
  expect(paper.getByRole("heading", { level: 3 })).toHaveTextContent("Letter of referral");
  expect(paper.getAllByRole("heading", { level: 4 }).map((heading) => heading.textContent)).toEqual(["What was found", "What is asked"]);
  expect(within(paper.getByRole("table")).getAllByRole("row")).toHaveLength(3);
  expect(paper.getAllByRole("listitem")).toHaveLength(2);
  expect(screen.getByTestId("html-document").innerHTML).not.toMatch(/href|src|style|<img|color/);
});

test("HTML that is too much or says nothing is its text", async () => {
  const engine = openApp("chart", DOCUMENT);
  const html = { ...missing, missing: null, contentType: "text/html", title: null };
  engine.answer("attachments_get", () => [
    { ...html, html: `<p>${"word ".repeat(60_000)}</p>`, text: "The long one" },
    { ...html, html: "<div>".repeat(2000) + "deep", text: "The deep one" },
    { ...html, html: "<script src='x'/><p>swallowed</p>", text: "The empty one" },
  ]);
  for (const text of ["The long one", "The deep one", "The empty one"]) expect(await screen.findByText(text, {}, SLOW)).toBeVisible();
  expect(screen.queryByTestId("html-document")).toBeNull();
});
