/** Engine events → what became stale. No record travels in an event. */
import type { QueryClient } from "@tanstack/react-query";
import type { Event, ProblemView, SyncProgressView } from "./bindings";
import { listen } from "./client";
import { readStatusAnew } from "./privacy";
import { keys } from "./queries";
import { createStore, useStore } from "./store";

const RECORDS_EVERY_MS = 700;
const TRACE_EVERY_MS = 400;

const progress = createStore<Partial<Record<string, SyncProgressView>>>({});

/** How far the running sync of a connection is. */
export function useSyncProgress(connectionId: string): SyncProgressView | undefined {
  return useStore(progress)[connectionId];
}

export interface LoginFailure {
  connectionId: string | null;
  problem: ProblemView;
}

export const loginFailure = createStore<LoginFailure | null>(null);

/** Syncs that ended; what is known of them is how the last one stood at its end. */
const ended = new Set<string>();

function moveOn(next: SyncProgressView) {
  const known = ended.delete(next.connectionId) ? undefined : progress.get()[next.connectionId];
  const fraction = Math.max(next.fraction, known?.fraction ?? 0);
  progress.set({ ...progress.get(), [next.connectionId]: { ...next, fraction } });
}

/** The bar stays full: it goes away when the list of connections says that the sync has ended. */
function fill(connectionId: string) {
  const known = progress.get()[connectionId];
  ended.add(connectionId);
  if (known) progress.set({ ...progress.get(), [connectionId]: { ...known, fraction: 1 } });
}

/** Forgets how far a sync was; a new one begins at nothing. */
export function forgetProgress(connectionId: string) {
  progress.set({ ...progress.get(), [connectionId]: undefined });
}

interface Heard {
  /** A login ended well: the window goes to its chart. */
  onSignedIn: (connectionId: string) => void;
}

/** Connects events to the query cache; gives back how to stop. */
export function hearEvents(client: QueryClient, { onSignedIn }: Heard): () => void {
  const stale = new Map<string, ReturnType<typeof setTimeout>>();
  const drop = (queryKey: readonly unknown[]) => void client.invalidateQueries({ queryKey });

  function recordsChanged(connectionId: string) {
    stale.delete(connectionId);
    drop(keys.chart(connectionId));
    drop(keys.records(connectionId));
    drop(keys.persons);
    drop(keys.people);
    drop(keys.search);
  }

  function soon(connectionId: string) {
    if (stale.has(connectionId)) return;
    stale.set(connectionId, setTimeout(() => recordsChanged(connectionId), RECORDS_EVERY_MS));
  }

  let traced: ReturnType<typeof setTimeout> | undefined;

  function traceSoon() {
    traced ??= setTimeout(() => {
      traced = undefined;
      drop(keys.trace);
    }, TRACE_EVERY_MS);
  }

  function hear(event: Event): void {
    switch (event.type) {
      case "statusChanged":
        progress.set({});
        loginFailure.set(null);
        return void readStatusAnew(client).catch(() => client.invalidateQueries());
      case "connectionsChanged":
        drop(keys.connections);
        drop(keys.schedule);
        drop(["chart"]);
        drop(keys.persons);
        drop(keys.people);
        return drop(keys.pending);
      case "launchesChanged":
        return drop(keys.launches);
      case "loginFinished":
        loginFailure.set(null);
        client.setQueryData(keys.pending, null);
        forgetProgress(event.connectionId);
        drop(keys.connections);
        return onSignedIn(event.connectionId);
      case "loginFailed":
        loginFailure.set({ connectionId: event.connectionId, problem: event.problem });
        drop(keys.connections);
        return drop(keys.pending);
      case "syncProgress":
        return moveOn(event);
      case "recordsChanged":
        return soon(event.connectionId);
      case "traceChanged":
        return traceSoon();
      case "syncFinished":
        clearTimeout(stale.get(event.connectionId));
        recordsChanged(event.connectionId);
        drop(keys.record(event.connectionId));
        fill(event.connectionId);
        return drop(keys.connections);
    }
  }

  const stopping = listen(hear);
  return () => {
    stale.forEach((timer) => clearTimeout(timer));
    clearTimeout(traced);
    void stopping.then((stop) => stop());
  };
}
