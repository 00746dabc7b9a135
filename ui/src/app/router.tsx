import { createMemoryHistory, createRootRoute, createRoute, createRouter } from "@tanstack/react-router";
import { problemOf } from "../api/problem";
import { ProblemNotice } from "../components/ProblemNotice";
import { ChartRoute, ConnectionsRoute, ConnectRoute, PrivacyRoute, SearchRoute, StartRoute, TraceRoute } from "./routes";
import { readPart, readText, type Part } from "./sections";
import { Shell } from "./Shell";

/** Where in a chart: whose, which section, which record. With a person, the connection is that of the record. */
interface ChartPlace {
  person?: string;
  connection?: string;
  section?: Part;
  type?: string;
  id?: string;
}

/** What is searched for; `focus` changes when the search field is asked for. */
interface SearchPlace {
  words?: string;
  focus?: number;
}

const root = createRootRoute({ component: Shell });

const start = createRoute({ getParentRoute: () => root, path: "/", component: StartRoute });

const chart = createRoute({
  getParentRoute: () => root,
  path: "/chart",
  component: ChartRoute,
  validateSearch: (search: Record<string, unknown>): ChartPlace => ({
    person: readText(search.person),
    connection: readText(search.connection),
    section: readPart(search.section),
    type: readText(search.type),
    id: readText(search.id),
  }),
});

const search = createRoute({
  getParentRoute: () => root,
  path: "/search",
  component: SearchRoute,
  validateSearch: (search: Record<string, unknown>): SearchPlace => ({
    words: typeof search.words === "number" ? String(search.words) : readText(search.words),
    focus: typeof search.focus === "number" ? search.focus : undefined,
  }),
});

const connections = createRoute({ getParentRoute: () => root, path: "/connections", component: ConnectionsRoute });

const trace = createRoute({ getParentRoute: () => root, path: "/trace", component: TraceRoute });

const privacy = createRoute({ getParentRoute: () => root, path: "/privacy", component: PrivacyRoute });

const connect = createRoute({ getParentRoute: () => root, path: "/connect", component: ConnectRoute });

/**
 * The screens. Where the person is stays in memory: no record's id and no search word ever gets into
 * the window's address.
 */
export function makeRouter(at = "/") {
  return createRouter({
    routeTree: root.addChildren([start, chart, search, connections, connect, privacy, trace]),
    history: createMemoryHistory({ initialEntries: [at] }),
    defaultPreload: false,
    defaultErrorComponent: ({ error }) => <ProblemNotice problem={problemOf(error)} />,
  });
}

export type AppRouter = ReturnType<typeof makeRouter>;

declare module "@tanstack/react-router" {
  interface Register {
    router: AppRouter;
  }
}
