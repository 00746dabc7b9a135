/** The lock and the privacy of the screen: what is shown, what is asked of the engine, what is forgotten. */
import { act, fireEvent, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, test, vi } from "vitest";
import { CHOSEN, PASSPHRASE } from "../dev/privacy";
import type { FakeEngine } from "../dev/engine";
import { openApp } from "./support";

const asked = (engine: FakeEngine, command: string) => engine.calls.filter((call) => call.command === command).map((call) => call.args);

describe("locked", () => {
  test("nothing of a record shows, and the passphrase opens it; a wrong one says so and is not kept in the field", async () => {
    const engine = openApp("locked", "/chart");
    const field = await screen.findByLabelText("Passphrase");
    expect(field).toHaveFocus();
    expect(field).toHaveAttribute("type", "password");
    expect(document.body).not.toHaveTextContent(/Lindqvist|Lakeside/);
    expect(engine.calls.map(({ command }) => command)).not.toContain("connections_list");
    await userEvent.type(field, "not the passphrase{Enter}");
    expect(await screen.findByTestId("problem")).toHaveTextContent("This is not the passphrase.");
    expect(field).toHaveValue("");
    expect(field).toHaveFocus();
    await userEvent.type(field, `${PASSPHRASE}{Enter}`);
    expect(await screen.findByTestId("patient-name")).toHaveTextContent("Lindqvist");
    expect(screen.queryByTestId("lock-screen")).toBeNull();
  });

  test("after several wrong ones the next waits, and says for how long", async () => {
    const engine = openApp("wait");
    expect(await screen.findByTestId("unlock-wait")).toHaveTextContent(/^The next try is possible in (39|40) seconds\.$/);
    await userEvent.type(screen.getByLabelText("Passphrase"), `${PASSPHRASE}{Enter}`);
    expect(screen.getByTestId("unlock")).toBeDisabled();
    expect(asked(engine, "app_unlock")).toEqual([]);
  });

  test("who forgot it is told plainly, and erases only after a yes", async () => {
    const engine = openApp("locked");
    await userEvent.click(await screen.findByText("Forgot the passphrase?"));
    expect(screen.getByText(/there is no second way in.*fetch them anew/)).toBeVisible();
    await userEvent.click(screen.getByTestId("anew"));
    expect(asked(engine, "app_start_anew")).toEqual([]);
    await userEvent.click(screen.getByTestId("anew-confirm"));
    await expect.poll(() => screen.queryByTestId("lock-screen")).toBeNull();
    expect(asked(engine, "app_start_anew")).toHaveLength(1);
  });

  test("by the keyboard from any screen, and what was read is asked for anew afterwards", async () => {
    const engine = openApp("passphrase", "/chart");
    await screen.findByTestId("patient-name");
    await expect.poll(() => asked(engine, "privacy_get")).not.toEqual([]);
    fireEvent.keyDown(window, { key: "l", ctrlKey: true });
    expect(await screen.findByTestId("lock-screen")).toBeVisible();
    expect(document.body).not.toHaveTextContent(/Lindqvist/);
    const before = asked(engine, "chart_get").length;
    await userEvent.type(screen.getByLabelText("Passphrase"), `${PASSPHRASE}{Enter}`);
    await screen.findByTestId("patient-name");
    expect(asked(engine, "chart_get").length).toBeGreaterThan(before);
  });

  test("without a passphrase there is nothing to lock with: it leads to where one is set", async () => {
    const engine = openApp("chart", "/chart");
    await screen.findByTestId("patient-name");
    await userEvent.click(screen.getByRole("button", { name: "Lock" }));
    expect(await screen.findByRole("heading", { name: "Privacy" })).toBeVisible();
    expect(asked(engine, "app_lock")).toEqual([]);
  });
});

describe("the passphrase", () => {
  test("is set twice the same, long enough, with when it is asked for", async () => {
    const engine = openApp("chart", "/privacy");
    await userEvent.click(await screen.findByTestId("passphrase-set"));
    await userEvent.type(screen.getByLabelText("New passphrase"), "short");
    await userEvent.type(screen.getByLabelText("The same again"), "shirt");
    await userEvent.click(screen.getByTestId("passphrase-confirm"));
    expect(screen.getByText("At least eight characters are needed.")).toBeVisible();
    expect(screen.getByText("The two are not the same.")).toBeVisible();
    expect(asked(engine, "passphrase_set")).toEqual([]);
    for (const label of ["New passphrase", "The same again"]) {
      await userEvent.clear(screen.getByLabelText(label));
      await userEvent.type(screen.getByLabelText(label), PASSPHRASE);
    }
    expect(screen.getByRole("checkbox", { name: /^Ask for it when Satchel starts/ })).toBeChecked();
    await userEvent.click(screen.getByTestId("passphrase-confirm"));
    await expect.poll(() => screen.getByTestId("passphrase-standing").textContent).toBe("A passphrase is set.");
    expect(asked(engine, "passphrase_set")).toEqual([{ current: null, passphrase: PASSPHRASE, atStart: true }]);
  });

  test("is changed, removed, and asked for at start by who knows it", async () => {
    const engine = openApp("passphrase", "/privacy");
    await userEvent.click(await screen.findByRole("checkbox", { name: /^Ask for it when Satchel starts/ }));
    await userEvent.type(screen.getByLabelText("Passphrase that is set now"), "a guess");
    await userEvent.click(screen.getByTestId("passphrase-confirm"));
    expect(await screen.findByTestId("problem")).toHaveTextContent("This is not the passphrase.");
    await userEvent.type(screen.getByLabelText("Passphrase that is set now"), PASSPHRASE);
    await userEvent.click(screen.getByTestId("passphrase-confirm"));
    await expect.poll(() => asked(engine, "lock_at_start").at(-1)).toEqual({ current: PASSPHRASE, on: false });
    await expect.poll(() => screen.queryByRole("dialog")).toBeNull();
    expect(await screen.findByRole("checkbox", { name: /^Ask for it when Satchel starts/ })).not.toBeChecked();
    await userEvent.click(screen.getByTestId("passphrase-remove"));
    await userEvent.type(screen.getByLabelText("Passphrase that is set now"), PASSPHRASE);
    await userEvent.click(screen.getByTestId("passphrase-confirm"));
    expect(await screen.findByTestId("passphrase-set")).toBeVisible();
  });

  test("can be looked at while it is typed", async () => {
    openApp("locked");
    const field = await screen.findByLabelText("Passphrase");
    await userEvent.click(screen.getByRole("button", { name: "Show what is typed: Passphrase" }));
    expect(field).toHaveAttribute("type", "text");
  });
});

describe("the screen", () => {
  test("idle time, the system's lock, the blur and the clipboard are chosen and kept", async () => {
    const engine = openApp("passphrase", "/privacy");
    await userEvent.selectOptions(await screen.findByRole("combobox", { name: "Lock when nobody has used it for" }), "1 hour");
    await expect.poll(() => asked(engine, "privacy_set")).toEqual([{ settings: { ...CHOSEN, lockAfterMinutes: 60 } }]);
    const idle = screen.getByTestId<HTMLSelectElement>("privacy-idle");
    await expect.poll(() => idle.value).toBe("60");
    await userEvent.click(screen.getByRole("checkbox", { name: /^Lock when this computer is locked/ }));
    await expect.poll(() => asked(engine, "privacy_set").at(-1)).toEqual({ settings: { ...CHOSEN, lockAfterMinutes: 60, lockWithSystem: false } });
    await expect.poll(() => screen.getByRole<HTMLInputElement>("checkbox", { name: /^Lock when this computer/ }).checked).toBe(false);
    await userEvent.selectOptions(screen.getByTestId("privacy-idle"), "never by itself");
    await expect.poll(() => asked(engine, "privacy_set").at(-1)).toEqual({ settings: { ...CHOSEN, lockAfterMinutes: null, lockWithSystem: false } });
  });

  test("is blurred while another window is in front, if that is wanted", async () => {
    openApp("passphrase", "/privacy");
    const blur = await screen.findByRole("checkbox", { name: /^Blur the window/ });
    fireEvent.blur(window);
    expect(document.documentElement).not.toHaveAttribute("data-away");
    await userEvent.click(blur);
    await expect.poll(() => screen.getByRole<HTMLInputElement>("checkbox", { name: /^Blur the window/ }).checked).toBe(true);
    fireEvent.blur(window);
    expect(document.documentElement).toHaveAttribute("data-away");
    fireEvent.focus(window);
    expect(document.documentElement).not.toHaveAttribute("data-away");
  });

  test("what is copied goes through the engine, by button or by the keyboard, but not out of a field", async () => {
    const engine = openApp("chart", "/chart");
    const name = await screen.findByTestId("patient-name");
    document.getSelection()?.selectAllChildren(name);
    fireEvent.copy(name);
    expect(asked(engine, "text_copy")).toEqual([{ text: name.textContent }]);
    act(() => { fireEvent.keyDown(window, { key: "k", ctrlKey: true }); });
    fireEvent.copy(await screen.findByTestId("search-input"));
    expect(asked(engine, "text_copy")).toHaveLength(1);
  });

  test("somebody at the window is told of, but not at every move", async () => {
    const engine = openApp("chart", "/chart");
    await screen.findByTestId("patient-name");
    const now = vi.spyOn(performance, "now").mockReturnValue(1e9);
    for (let moves = 0; moves < 50; moves += 1) fireEvent.pointerMove(window);
    expect(asked(engine, "app_touched")).toHaveLength(1);
    now.mockReturnValue(1e9 + 6000);
    fireEvent.keyDown(window, { key: "a" });
    expect(asked(engine, "app_touched")).toHaveLength(2);
    now.mockRestore();
  });
});
