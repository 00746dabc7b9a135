import type { Event } from "./bindings";

/** How a command reaches the engine, and how its events come back. */
export interface Transport {
  call: (command: string, args?: Record<string, unknown>) => Promise<unknown>;
  listen: (hear: (event: Event) => void) => Promise<() => void>;
}
