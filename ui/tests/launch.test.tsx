/** A portal opens Satchel; how much is asked for; what a connection says of its access. */
import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { describe, expect, test } from "vitest";
import { LAUNCH, type FakeEngine } from "../dev/engine";
import { ACCESS, makeConnection } from "../dev/people";
import { NEVER, openApp } from "./support";

const asked = (engine: FakeEngine, command: string) => engine.calls.filter((call) => call.command === command);

describe("a link that names an unknown server", () => {
  test("the host is named, and nothing begins before a yes", async () => {
    const engine = openApp("launch");
    const dialog = await screen.findByRole("dialog");
    expect(dialog).toHaveTextContent(LAUNCH.host);
    expect(dialog).toHaveTextContent(LAUNCH.fhirBase);
    expect(dialog.textContent).not.toMatch(NEVER);
    expect(asked(engine, "launch_accept")).toEqual([]);
    expect(asked(engine, "login_start")).toEqual([]);
    await userEvent.click(within(dialog).getByTestId("launch-accept"));
    expect(asked(engine, "launch_accept")[0]?.args).toEqual({ id: "l1" });
    expect(await screen.findByTestId("signin-progress")).toBeVisible();
    expect(screen.queryByRole("dialog")).toBeNull();
  });

  test("no, or the Escape key, forgets it", async () => {
    const engine = openApp("launch");
    await screen.findByRole("dialog");
    await userEvent.keyboard("{Escape}");
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    expect(asked(engine, "launch_refuse")[0]?.args).toEqual({ id: "l1" });
    expect(asked(engine, "launch_accept")).toEqual([]);
  });

  test("one that arrives while the window is open is asked about too, and can be read by all", async () => {
    const engine = openApp("chart");
    await screen.findByTestId("nav-chart");
    engine.answer("launches_pending", () => [{ ...LAUNCH, known: true }]);
    act(() => engine.emit({ type: "launchesChanged" }));
    const dialog = await screen.findByRole("dialog");
    expect(dialog).toHaveTextContent("Several links at once");
    const found = await axe.run(dialog, { rules: { "color-contrast": { enabled: false } } });
    expect(found.violations).toEqual([]);
  });
});

describe("how much to ask for", () => {
  test("a choice goes with the sign-in, its exact list one click away", async () => {
    const engine = openApp("first");
    const [card] = await screen.findAllByTestId("server-card");
    if (!card) throw new Error("no server is offered");
    await userEvent.click(card);
    expect(asked(engine, "scope_presets")).toEqual([]);
    await userEvent.click(await screen.findByText("How much to ask for"));
    const summary = await screen.findByTestId("preset-summary");
    expect(screen.getByTestId("preset-everything")).toBeChecked();
    await userEvent.click(summary);
    const [, exact] = screen.getAllByText("The exact list");
    if (!exact) throw new Error("no list");
    await userEvent.click(exact);
    expect(screen.getByText("patient/Condition.rs")).toBeVisible();
    await userEvent.click(screen.getByTestId("role-patient"));
    expect(asked(engine, "login_start")[0]?.args).toEqual({ base: card.dataset.base, role: "patient", preset: "summary" });
  });
});

describe("what a connection says of its access", () => {
  test("a partial grant, a long life and who signed in", async () => {
    const connection = makeConnection({
      signedInAs: { name: "Dr. Mei Chen", resourceType: "Practitioner", isPatient: false },
      access: { ...ACCESS, longLived: true, renewable: false, expiresAt: "2027-11-24T10:30:00Z", notShared: ["Allergies"], scopes: [{ scope: "patient/AllergyIntolerance.rs", granted: "nothing" }] },
    });
    const engine = openApp("first");
    engine.answer("connections_list", () => [connection]);
    await userEvent.click(await screen.findByTestId("nav-connections"));
    act(() => engine.emit({ type: "connectionsChanged" }));
    const card = await screen.findByTestId("connection-card");
    expect(card).toHaveTextContent("You are signed in as Dr. Mei Chen.");
    await userEvent.click(within(card).getByText("Address and what was shared"));
    expect(within(card).getByTestId("access-not-shared")).toHaveTextContent("Allergies");
    expect(within(card).getByTestId("access-long-lived")).toHaveTextContent("2027");
    await userEvent.click(within(card).getByText("The exact permissions"));
    expect(card).toHaveTextContent("patient/AllergyIntolerance.rs – not granted");
  });
});
