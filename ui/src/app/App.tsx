import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { useEffect } from "react";
import { hearEvents } from "../api/events";
import type { ProblemView } from "../api/bindings";
import { WordsProvider } from "../i18n";
import { Gate } from "./Gate";
import { watchTouches } from "./presence";
import type { AppRouter } from "./router";

declare module "@tanstack/react-query" {
  interface Register {
    defaultError: ProblemView;
  }
}

/** Answers come from this computer: they are asked for again when an event says so, not by the clock. */
export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: { staleTime: Infinity, gcTime: 5 * 60_000, retry: false, refetchOnWindowFocus: false, refetchOnReconnect: false, networkMode: "always" },
      mutations: { retry: false, networkMode: "always" },
    },
  });
}

export function App({ client, router }: { client: QueryClient; router: AppRouter }) {
  useEffect(
    () =>
      hearEvents(client, {
        onSignedIn: (connection) =>
          void router.navigate({ to: "/chart", search: { connection } }),
      }),
    [client, router],
  );
  useEffect(() => watchTouches(), []);
  return (
    <WordsProvider>
      <QueryClientProvider client={client}>
        <Gate>
          <RouterProvider router={router} />
        </Gate>
      </QueryClientProvider>
    </WordsProvider>
  );
}
