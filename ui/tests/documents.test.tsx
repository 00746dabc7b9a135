/** Documents: what is not here says why, and can be asked for; what was found inside of one says so. */
import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import type { AttachmentView } from "../src/api/bindings";
import { openApp } from "./support";

const DOCUMENT = "/chart?section=documents&type=DocumentReference&id=doc1";

/** The parts of a record are loaded when the first is opened. */
const SLOW = { timeout: 5_000 };

const missing: AttachmentView = {
  contentType: "application/pdf", title: "Old file", text: null, size: 32_505_856, base64: null,
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
