/** Finding a server: by words, by address, from lists; what it can do; and how its picture is shown. */
import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, test } from "vitest";
import { LIST } from "../dev/servers";
import type { FakeEngine } from "../dev/engine";
import { looksLikeAddress } from "../src/features/connect/address";
import { openApp } from "./support";

const asked = (engine: FakeEngine, command: string) => engine.calls.filter((call) => call.command === command);
const refusal = (code: string, message: string) => ({ code, message, advice: "", detail: "why", canRetry: true });

describe("the search", () => {
  test("servers known by name are there before anything is typed; words narrow them down", async () => {
    openApp("first");
    expect(await screen.findAllByTestId("server-card")).toHaveLength(2);
    await userEvent.type(screen.getByTestId("server-url"), "duluth");
    await waitFor(() => expect(screen.getAllByTestId("server-card")).toHaveLength(1));
    expect(screen.getByTestId("server-card")).toHaveTextContent("MyLakeside · my.lakeside.example");
    expect(screen.getByText("1 server found")).toBeVisible();
  });

  test("nothing found says what to try", async () => {
    openApp("first");
    await userEvent.type(await screen.findByTestId("server-url"), "nowhere");
    expect(await screen.findByText("No server found for “nowhere”")).toBeVisible();
  });

  test("without a mouse: Enter takes the first, arrows go through the servers and back", async () => {
    openApp("first");
    const [first, second] = await screen.findAllByTestId("server-card");
    const field = screen.getByTestId("server-url");
    await userEvent.click(field);
    await userEvent.keyboard("{ArrowDown}");
    expect(first).toHaveFocus();
    await userEvent.keyboard("{ArrowDown}");
    expect(second).toHaveFocus();
    await userEvent.keyboard("{ArrowUp}{ArrowUp}");
    expect(field).toHaveFocus();
    await userEvent.keyboard("lakeside{Enter}");
    expect(await screen.findByTestId("role-patient")).toBeVisible();
    expect(first).toHaveAttribute("aria-expanded", "true");
    await userEvent.click(field);
    await userEvent.keyboard("{Escape}");
    expect(field).toHaveValue("");
  });

  test("Enter chooses among the answers to what stands in the field, not to what stood there", async () => {
    const engine = openApp("first");
    await userEvent.type(await screen.findByTestId("server-url"), "not an address{Enter}");
    expect(await screen.findByTestId("problem")).toHaveAttribute("data-code", "server.not_a_url");
    expect(asked(engine, "server_check")).toEqual([]);
  });

  test("a search that fails says so", async () => {
    const engine = openApp("first");
    engine.answer("servers_search", () => { throw refusal("store.failed", "Could not be read.") as unknown as Error; });
    await userEvent.type(await screen.findByTestId("server-url"), "x");
    expect(await screen.findByTestId("problem")).toHaveAttribute("data-code", "store.failed");
  });

  test.each([
    ["https://ehr.example/fhir", true],
    ["ehr.example/fhir", true],
    ["localhost:8080/fhir", true],
    ["http://localhost:8080/fhir", true],
    ["mychart.example", false],
    ["Lakes clinic", false],
    ["Dr. Hill/Clinic", false],
  ])("%s is meant as an address: %s", (typed, expected) => {
    expect(looksLikeAddress(typed)).toBe(expected);
  });
});

describe("a typed address", () => {
  test("is asked, and offered like the others", async () => {
    const engine = openApp("first");
    await userEvent.type(await screen.findByTestId("server-url"), "https://ehr.example.org/fhir{Enter}");
    const card = (await screen.findAllByTestId("server-card")).find(({ dataset }) => dataset.base === "https://ehr.example.org/fhir");
    expect(card).toHaveAttribute("aria-expanded", "true");
    await userEvent.click(await screen.findByTestId("role-patient"));
    expect(asked(engine, "login_start")[0]?.args).toEqual({ base: "https://ehr.example.org/fhir", role: "patient" });
    expect(asked(engine, "server_check")).toHaveLength(1);
  });
});

describe("what a server can do", () => {
  test("is one click away, in words and in its own words; access is managed in the browser", async () => {
    const engine = openApp("first");
    const [card] = await screen.findAllByTestId("server-card");
    await userEvent.click(card!);
    await userEvent.click(await screen.findByText("What this server can do"));
    expect(await screen.findByTestId("ability-patientHere")).toHaveTextContent("Patients and family sign in from Satchel");
    expect(screen.getByTestId("ability-providerHere")).toHaveTextContent("Not: Care teams sign in from Satchel");
    expect(screen.getByText(/launch-standalone, launch-ehr/)).toBeVisible();
    expect(screen.getByText(/lakeside\.example\/logo-terms/)).toBeVisible();
    await userEvent.click(screen.getByTestId("manage-access"));
    expect(asked(engine, "server_open_management")[0]?.args).toEqual({ base: card!.dataset.base });
  });

  test("decides who may sign in, and how", async () => {
    const engine = openApp("first");
    const base = "https://ehr.lakeside.example/fhir/r4";
    const check = { fhirBase: base, name: "L", place: null, hasLogo: false, logoLicense: null, canRegister: true, abilities: [], capabilities: [], canManage: false };
    engine.answer("server_check", () => ({ ...check, roles: ["patient", "backend"], launches: ["portal"] }));
    const [card] = await screen.findAllByTestId("server-card");
    await userEvent.click(card!);
    expect(await screen.findByText(/open Satchel from there/)).toBeVisible();
    expect(screen.queryByTestId("role-patient")).toBeNull();
  });

  test("a server that does not answer can be asked again", async () => {
    const engine = openApp("first");
    engine.answer("server_check", () => { throw refusal("network.unreachable", "The server could not be reached.") as unknown as Error; });
    const [card] = await screen.findAllByTestId("server-card");
    await userEvent.click(card!);
    await userEvent.click(await screen.findByTestId("check-again"));
    await waitFor(() => expect(asked(engine, "server_check")).toHaveLength(2));
  });
});

describe("a logo", () => {
  test("is an image without words, and only asked for where there is one", async () => {
    const engine = openApp("first");
    const logo = await screen.findByTestId("server-logo");
    expect(logo.tagName).toBe("IMG");
    expect(logo.getAttribute("src")).toMatch(/^data:image\//);
    expect(logo).toHaveAttribute("alt", "");
    expect(asked(engine, "server_logo").map(({ args }) => args)).toEqual([{ base: "https://ehr.lakeside.example/fhir/r4" }]);
  });
});

describe("lists of servers", () => {
  test("are imported from an address, shown with what was left out, and forgotten", async () => {
    const engine = openApp("first");
    await userEvent.click(await screen.findByText("Lists of servers"));
    await userEvent.type(await screen.findByTestId("directory-url"), LIST.source);
    await userEvent.click(screen.getByTestId("directory-import"));
    const row = await screen.findByTestId("directory");
    expect(row).toHaveTextContent("1,280 servers");
    expect(row).toHaveTextContent("14 entries were left out");
    expect(row).toHaveTextContent("12 are for another FHIR version");
    expect(screen.getByText("1,280 servers can be found now.")).toBeInTheDocument();
    await userEvent.click(within(row).getByText("Forget"));
    await waitFor(() => expect(screen.queryByTestId("directory")).toBeNull());
    expect(asked(engine, "directory_remove")).toHaveLength(1);
  });

  test("are imported from a file", async () => {
    const engine = openApp("first");
    await userEvent.click(await screen.findByText("Lists of servers"));
    const file = new File(['{"resourceType":"Bundle"}'], "brands.json", { type: "application/json" });
    // What jsdom's files lack.
    file.text = () => Promise.resolve('{"resourceType":"Bundle"}');
    await userEvent.upload(await screen.findByTestId("directory-file"), file);
    expect(await screen.findByTestId("directory")).toHaveTextContent("brands.json");
    expect(asked(engine, "directory_import_text")[0]?.args).toEqual({ name: "brands.json", text: '{"resourceType":"Bundle"}' });
  });

  test("that are none say so", async () => {
    const engine = openApp("first");
    engine.answer("directory_import_url", () => { throw refusal("directory.not_a_list", "This is not a list.") as unknown as Error; });
    await userEvent.click(await screen.findByText("Lists of servers"));
    await userEvent.type(await screen.findByTestId("directory-url"), "https://x.example{Enter}");
    expect(await screen.findByTestId("problem")).toHaveTextContent("This is not a list.");
  });
});

test("a sign-in that moved is taken at its new address only when the person says so", async () => {
  const engine = openApp("first");
  const moved = refusal("server.moved", "The sign-in is at another address.");
  engine.answer("login_start", () => { throw moved as unknown as Error; });
  const [card] = await screen.findAllByTestId("server-card");
  await userEvent.click(card!);
  await userEvent.click(await screen.findByTestId("role-patient"));
  const accept = await screen.findByTestId("accept-move");
  expect(asked(engine, "server_accept_move")).toHaveLength(0);
  await act(async () => userEvent.click(accept));
  expect(asked(engine, "server_accept_move")[0]?.args).toEqual({ base: card!.dataset.base });
  await waitFor(() => expect(asked(engine, "login_start")).toHaveLength(2));
});
