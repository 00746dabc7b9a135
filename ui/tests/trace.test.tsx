/** The trace, for testers: switched on, read step by step, exported. */
import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { expect, test } from "vitest";
import type { FakeEngine } from "../dev/engine";
import { TRACE } from "../dev/trace";
import { NEVER, openApp } from "./support";

const asked = (engine: FakeEngine, command: string) => engine.calls.filter((call) => call.command === command);

async function openTrace(trace = TRACE): Promise<FakeEngine> {
  const engine = openApp("chart");
  engine.answer("trace_get", () => trace);
  await userEvent.click(await screen.findByTestId("nav-trace"));
  await screen.findByTestId("trace-switch");
  return engine;
}

test("nothing is traced until the tester starts it", async () => {
  const engine = await openTrace({ on: false, flows: [] });
  expect(await screen.findByText("Nothing traced yet")).toBeVisible();
  expect(screen.getByTestId("trace-export")).toBeDisabled();
  const toggle = screen.getByRole("switch", { name: "Start tracing" });
  expect(toggle).not.toBeChecked();
  engine.answer("trace_get", () => ({ on: true, flows: [] }));
  await userEvent.click(toggle);
  expect(asked(engine, "trace_switch")[0]?.args).toEqual({ on: true });
  expect(await screen.findByRole("switch", { name: "Stop tracing" })).toBeChecked();
});

test("the newest piece of work is open, its checks carry their numbers, the failed one says so in words", async () => {
  await openTrace();
  const [newest, older] = await screen.findAllByTestId("trace-flow");
  if (!newest || !older) throw new Error("two pieces of work");
  expect(newest).toHaveAttribute("open");
  expect(older).not.toHaveAttribute("open");
  const steps = within(newest).getAllByTestId("trace-step");
  expect(steps.map((step) => step.dataset.number ?? "-")).toEqual(["-", "C33", "C34", "-", "D11", "D30"]);
  expect(steps.at(-1)).toHaveTextContent("Failed:D30Its aud is this installation");
  expect(steps[1]).toHaveTextContent("Good:C33");
  expect(within(newest).getByTestId("problem")).toHaveAttribute("data-code", "login.id_token");
  expect(newest.textContent).not.toMatch(NEVER);
});

test("a request is opened by the keyboard and shows what was sent, decoded tokens included", async () => {
  await openTrace();
  const summary = (await screen.findByText("POST https://auth.lakeside.example/auth/token")).closest("summary");
  if (!summary) throw new Error("no summary");
  expect(screen.queryByText("authorization_code")).toBeNull();
  await userEvent.click(summary);
  expect(await screen.findByText("authorization_code")).toBeVisible();
  expect(screen.getByText("JSON Web Token, decoded")).toBeVisible();
  expect(screen.getByText(/"alg": "ES384"/)).toBeVisible();
  expect(screen.getAllByText(/hidden-5f0c2a11/).length).toBeGreaterThan(0);
});

test("it grows while one looks, and older pieces open too", async () => {
  const engine = await openTrace({ on: true, flows: TRACE.flows.slice(0, 1) });
  expect(await screen.findAllByTestId("trace-flow")).toHaveLength(1);
  engine.answer("trace_get", () => TRACE);
  act(() => engine.emit({ type: "traceChanged" }));
  await waitFor(() => expect(screen.getAllByTestId("trace-flow")).toHaveLength(2));
  const older = screen.getAllByTestId("trace-flow")[1];
  expect(older).toHaveTextContent("Sign-in: to the portal");
  expect(older).toHaveTextContent("A8");
});

test("it is exported, and where to is said; it is cleared", async () => {
  const engine = await openTrace();
  await screen.findAllByTestId("trace-flow");
  engine.answer("trace_export", () => "/home/ada/Downloads/satchel-trace.har");
  await userEvent.click(screen.getByTestId("trace-export"));
  expect(await screen.findByText("Written to /home/ada/Downloads/satchel-trace.har")).toBeVisible();
  engine.answer("trace_get", () => ({ on: true, flows: [] }));
  await userEvent.click(screen.getByTestId("trace-clear"));
  expect(await screen.findByText("Nothing traced yet")).toBeVisible();
  expect(screen.queryByText(/Written to/)).toBeNull();
  expect(asked(engine, "trace_clear")).toHaveLength(1);
});

test("an export that fails says why", async () => {
  const engine = await openTrace();
  await screen.findAllByTestId("trace-flow");
  const problem = { code: "export.failed", message: "The files could not be written.", advice: "Look at the folder.", detail: "StorageFull", canRetry: true };
  engine.answer("trace_export", () => { throw problem as unknown as Error; });
  await userEvent.click(screen.getByTestId("trace-export"));
  expect(await screen.findByText(problem.message)).toBeVisible();
});

test("all of it can be read by assistive technology", async () => {
  await openTrace();
  const summary = (await screen.findByText("POST https://auth.lakeside.example/auth/token")).closest("summary");
  if (!summary) throw new Error("no summary");
  await userEvent.click(summary);
  const found = await axe.run(document.body, { rules: { "color-contrast": { enabled: false }, region: { enabled: false } } });
  expect(found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ""}`)).toEqual([]);
});
