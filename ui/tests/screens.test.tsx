/** A person's day at the window, on a made-up engine: what is pressed, what is asked of the engine, what is read. */
import { act, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { describe, expect, test } from "vitest";
import { DENIED, type FakeEngine, type Scene } from "../dev/engine";
import { NEVER, openApp } from "./support";

const asked = (engine: FakeEngine, command: string) => engine.calls.filter((call) => call.command === command);

describe("connecting", () => {
  test("a server is chosen, then who signs in", async () => {
    const engine = openApp("first");
    const [card] = await screen.findAllByTestId("server-card");
    if (!card) throw new Error("no server is offered");
    await userEvent.click(card);
    await userEvent.click(await screen.findByTestId("role-patient"));
    expect(asked(engine, "login_start")[0]?.args).toEqual({ base: card.dataset.base, role: "patient" });
    expect(await screen.findByTestId("signin-progress")).toBeVisible();
  });

  test("what is no address is refused before any server is asked", async () => {
    const engine = openApp("first");
    await userEvent.type(await screen.findByTestId("server-url"), "https://my clinic{Enter}");
    expect(await screen.findByTestId("problem")).toHaveAttribute("data-code", "server.not_a_url");
    expect(asked(engine, "server_check")).toEqual([]);
  });

  test("what the server is not is said, with the detail one click away", async () => {
    const engine = openApp("first");
    const problem = { code: "server.not_fhir", message: "This address does not belong to a FHIR server.", advice: "Check it.", detail: "HTTP 404", canRetry: true };
    engine.answer("server_check", () => { throw problem as unknown as Error; });
    await userEvent.type(await screen.findByTestId("server-url"), "https://ehr.example.org{Enter}");
    const notice = await screen.findByTestId("problem");
    expect(notice).toHaveTextContent(problem.message);
    expect(within(notice).getByText(/HTTP 404/)).not.toBeVisible();
    await userEvent.click(within(notice).getByText("Technical detail"));
    expect(within(notice).getByText(/server.not_fhir: HTTP 404/)).toBeVisible();
  });
});

describe("signing in", () => {
  test("it can be cancelled", async () => {
    const engine = openApp("signin");
    await userEvent.click(await screen.findByTestId("signin-cancel"));
    expect(asked(engine, "login_cancel")[0]?.args).toEqual({ connectionId: "c9" });
  });

  test("the page can be opened again", async () => {
    const engine = openApp("signin");
    await userEvent.click(await screen.findByTestId("signin-open-again"));
    expect(asked(engine, "login_open_browser")).toHaveLength(1);
  });

  test("a refusal at the portal is said in words", async () => {
    const engine = openApp("denied");
    await screen.findAllByTestId("server-card");
    act(() => { engine.emit({ type: "loginFailed", connectionId: null, problem: DENIED }); });
    expect(await screen.findByTestId("problem")).toHaveTextContent(DENIED.message);
  });

  test("a login that lapsed is said, and can be begun again", async () => {
    const engine = openApp("first");
    engine.answer("login_pending", () => ({ connectionId: "c9", authorizationUrl: "https://x.example", serverName: "Clinic", expiresAt: "2020-01-01T00:00:00Z" }));
    act(() => { engine.emit({ type: "connectionsChanged" }); });
    expect(await screen.findByTestId("problem")).toHaveAttribute("data-code", "login.expired");
    await userEvent.click(screen.getByTestId("signin-retry"));
    expect(asked(engine, "login_reconnect")[0]?.args).toEqual({ connectionId: "c9" });
  });
});

describe("the chart", () => {
  test("offline is said, with the date of what is shown", async () => {
    openApp("offline", "/chart");
    expect(await screen.findByTestId("offline-banner")).toHaveTextContent(/^Offline\. Showing what was stored on .*2026/);
  });

  test("the bar of a sync says how far it is", async () => {
    const engine = openApp("syncing", "/chart");
    await screen.findByTestId("sync-progress");
    act(() => { engine.emit({ type: "syncProgress", connectionId: "c1", step: "Laboratory results", stepsDone: 9, stepsTotal: 24, records: 1280, fraction: 0.38 }); });
    const bar = await screen.findByRole("progressbar", { name: /Laboratory results/ });
    expect(bar).toHaveAttribute("aria-valuenow", "38");
    expect(bar).toHaveAttribute("aria-valuemax", "100");
    await userEvent.click(screen.getByRole("button", { name: "Stop" }));
    expect(asked(engine, "sync_cancel")[0]?.args).toEqual({ connectionId: "c1" });
  });

  test("lost access keeps the records and offers to sign in again", async () => {
    const engine = openApp("lost", "/chart");
    await userEvent.click(await screen.findByRole("button", { name: "Sign in again" }));
    expect(asked(engine, "login_reconnect")[0]?.args).toEqual({ connectionId: "c1" });
  });
});

describe("search", () => {
  test("of one kind, where that is chosen", async () => {
    const engine = openApp("chart", "/search");
    await userEvent.type(await screen.findByRole("combobox", { name: "Search all records" }), "blood");
    expect((await screen.findAllByTestId("search-hit")).length).toBeGreaterThan(0);
    await userEvent.selectOptions(screen.getByTestId("search-kind"), "Immunization");
    expect(await screen.findByText("Nothing found", { selector: "[role=status]" })).toBeVisible();
    expect(asked(engine, "search").at(-1)?.args).toMatchObject({ words: "blood", filter: { resourceType: "Immunization" } });
  });

  test("as it is typed; arrows choose, Enter opens, Escape clears", async () => {
    const engine = openApp("chart", "/search");
    const field = await screen.findByRole("combobox", { name: "Search all records" });
    await userEvent.type(field, "blood");
    const hits = await screen.findAllByTestId("search-hit");
    expect(hits.length).toBeGreaterThan(1);
    expect(hits[0]?.querySelector("mark")).toHaveTextContent(/blood/i);
    expect(asked(engine, "search").at(-1)?.args).toMatchObject({ words: "blood" });
    await userEvent.keyboard("{ArrowDown}");
    expect(screen.getAllByTestId("search-hit")[1]).toHaveAttribute("aria-selected", "true");
    expect(field).toHaveAttribute("aria-activedescendant", screen.getAllByTestId("search-hit")[1]?.id);
    await userEvent.keyboard("{Escape}");
    expect(field).toHaveValue("");
    await userEvent.type(field, "blood");
    await screen.findAllByTestId("search-hit");
    await userEvent.keyboard("{Enter}");
    expect(await screen.findByTestId("record-detail")).toBeVisible();
  });

  test("nothing found is said", async () => {
    openApp("chart", "/search");
    await userEvent.type(await screen.findByTestId("search-input"), "qqqq");
    expect(await screen.findByText("Try fewer letters or another word. Only records stored on this computer are searched.")).toBeVisible();
  });
});

describe("connections", () => {
  test("files that were imported are a source without a server: nobody signs in to them", async () => {
    openApp("many", "/connections");
    const cards = await screen.findAllByTestId("connection-card");
    const card = cards.find((one) => one.dataset.base?.startsWith("urn:satchel:imported:"))!;
    expect(within(card).getByText("57 records read from files.")).toBeVisible();
    expect(within(card).getByText("From files")).toBeVisible();
    expect(within(card).queryByText("Sign in")).toBeNull();
    expect(within(card).queryByTestId("sync-now")).toBeNull();
    expect(within(card).getByTestId("connection-remove")).toBeVisible();
  });

  test("what the last sync changed is told: how much in all, member by member, and that nothing is lost", async () => {
    const engine = openApp("chart", "/connections");
    const [opener] = await screen.findAllByText("What changed since last time");
    expect(asked(engine, "changes_get")).toEqual([]);
    await userEvent.click(opener!);
    const changes = await screen.findByTestId("changes");
    expect(within(changes).getByText("212 new records")).toBeVisible();
    expect(within(changes).getByText("The first one is listed.", { selector: "ul:nth-of-type(1) + p" })).toBeVisible();
    expect(within(changes).getByText("Status: Preliminary → Final")).toBeVisible();
    expect(within(changes).getByText("1 record no longer given")).toBeVisible();
    expect(within(changes).getByText(/kept as it was last received/)).toBeVisible();
  });

  test("when that cannot be told, it says why", async () => {
    const engine = openApp("chart", "/connections");
    engine.answer("changes_get", () => { throw DENIED as unknown as Error; });
    const [opener] = await screen.findAllByText("What changed since last time");
    await userEvent.click(opener!);
    expect(await screen.findByTestId("problem")).toHaveTextContent(DENIED.message);
    expect(screen.queryByTestId("changes")).toBeNull();
  });

  test("removing asks first, and says what goes", async () => {
    const engine = openApp("chart", "/connections");
    await userEvent.click(await screen.findByTestId("connection-remove"));
    const dialog = await screen.findByRole("dialog");
    expect(dialog).toHaveTextContent(/records/);
    await userEvent.click(within(dialog).getByRole("button", { name: "Keep it" }));
    expect(asked(engine, "connection_remove")).toEqual([]);
    await userEvent.click(screen.getByTestId("connection-remove"));
    await userEvent.click(await screen.findByTestId("confirm-remove"));
    expect(asked(engine, "connection_remove")[0]?.args).toEqual({ connectionId: "c1" });
  });

  test("sync now syncs", async () => {
    const engine = openApp("chart", "/connections");
    await userEvent.click(await screen.findByTestId("sync-now"));
    expect(asked(engine, "sync_start")[0]?.args).toEqual({ connectionId: "c1" });
  });
});

test("without a keychain the window says what to install, and can try again", async () => {
  const engine = openApp("nokeychain");
  expect(await screen.findByTestId("problem")).toHaveTextContent(/gnome-keyring/);
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(asked(engine, "app_retry")).toHaveLength(1);
});

test("when the window itself fails, it says so in words", async () => {
  const engine = openApp("first", "/connections");
  await screen.findByRole("main");
  engine.answer("connections_list", () => 7);
  act(() => { engine.emit({ type: "connectionsChanged" }); });
  const notice = await screen.findByTestId("problem");
  expect(notice).toHaveAttribute("data-code", "window.failed");
  expect(notice).toHaveTextContent("Something went wrong inside Satchel.");
});

/** Colours and sizes are judged in a real window; here are names, roles and structure. */
const RULES = { "color-contrast": { enabled: false }, "scrollable-region-focusable": { enabled: false } };

describe("every screen has names, roles and structure for those who do not see it, and no word of a machine", () => {
  test.each<[Scene, string]>([
    ["first", "/connect"], ["signin", "/connect"], ["nokeychain", "/"], ["chart", "/chart"], ["chart", "/chart?section=labs"],
    ["chart", "/chart?section=problems&type=Condition&id=k1"], ["syncing", "/chart"], ["offline", "/chart"], ["lost", "/chart"],
    ["long", "/chart"], ["chart", "/chart?section=labs&type=Observation&id=lab0"], ["people", "/chart"], ["chart", "/chart?section=timeline"], ["many", "/connections"], ["chart", "/connections"], ["empty", "/chart"], ["chart", "/search?words=blood"],
  ])("%s at %s", async (scene, at) => {
    openApp(scene, at);
    await screen.findByRole("main");
    await act(() => new Promise((done) => setTimeout(done, 300)));
    const { violations } = await axe.run(document.body, { rules: RULES });
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual([]);
    expect(document.body.textContent).not.toMatch(NEVER);
  });
});
