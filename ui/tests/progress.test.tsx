import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, render, screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { makeConnection } from "../dev/people";
import type { ConnectionView, Event } from "../src/api/bindings";
import { setTransport } from "../src/api/client";
import { hearEvents } from "../src/api/events";
import { useConnections } from "../src/api/queries";
import { Banners } from "../src/features/chart/Banners";
import { WordsProvider } from "../src/i18n";

/** An engine whose list of connections answers when the test says so. */
function slowEngine() {
  const waiting: ((list: ConnectionView[]) => void)[] = [];
  let hear: (event: Event) => void = () => undefined;
  setTransport({
    call: () => new Promise((answer) => waiting.push(answer)),
    listen: (listener) => {
      hear = listener;
      return Promise.resolve(() => undefined);
    },
  });
  return {
    waiting,
    emit: (event: Event) => { act(() => { hear(event); }); },
    answer: (connection: ConnectionView) => act(async () => Promise.resolve(waiting.shift()?.([connection]))),
  };
}

function Chart() {
  const [connection] = useConnections().data ?? [];
  return connection ? <Banners connection={connection} onReconnect={() => undefined} /> : null;
}

/** Every value that the bar ever showed. */
function watchBar(): number[] {
  const shown: number[] = [];
  new MutationObserver(() => {
    const bar = document.querySelector("[role=progressbar]");
    if (bar) shown.push(Number(bar.getAttribute("aria-valuenow")));
  }).observe(document.body, { subtree: true, childList: true, attributes: true });
  return shown;
}

test("the bar of a sync never goes back, is full at the end, and then goes away", async () => {
  const engine = slowEngine();
  const client = new QueryClient();
  const stop = hearEvents(client, { onSignedIn: () => undefined });
  const shown = watchBar();
  render(<QueryClientProvider client={client}><WordsProvider><Chart /></WordsProvider></QueryClientProvider>);
  const running = makeConnection({ syncing: true });
  await engine.answer(running);
  await screen.findByRole("progressbar");

  const progress = { type: "syncProgress", connectionId: running.id, step: "Labs", stepsDone: 9, stepsTotal: 10, records: 90 } as const;
  engine.emit({ ...progress, fraction: 0.9 });
  engine.emit({ ...progress, fraction: 0.4 });
  engine.emit({ type: "syncFinished", connectionId: running.id });
  engine.emit({ type: "connectionsChanged" });
  while (engine.waiting.length > 0) await engine.answer(makeConnection({ syncing: false }));
  await waitFor(() => expect(screen.queryByRole("progressbar")).toBeNull());
  expect(shown.at(-1)).toBe(100);
  expect(shown).toEqual([...shown].sort((a, b) => a - b));

  // The next sync begins at nothing.
  engine.emit({ type: "connectionsChanged" });
  while (engine.waiting.length > 0) await engine.answer(running);
  engine.emit({ ...progress, fraction: 0.1 });
  await waitFor(() => expect(screen.getByRole("progressbar").getAttribute("aria-valuenow")).toBe("10"));
  stop();
});
