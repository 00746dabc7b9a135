/** What screens read. Each names what it is made of, so that events can say what became stale. */
import { keepPreviousData, queryOptions, useQuery, useQueryClient } from "@tanstack/react-query";
import type { ChartOf, RecordFilter, RecordKey, Role, ServerView, TimelineFilter } from "./bindings";
import { engine } from "./client";

export type { ChartOf } from "./bindings";

/** Rows asked for at a time. */
export const PAGE_SIZE = 100;
/** Entries of the access log that are shown, the newest. */
const LOG_ENTRIES = 200;

export const keys = {
  status: ["status"],
  servers: ["servers"],
  serverCheck: (base: string) => ["server-check", base],
  logos: ["server-logo"],
  directories: ["directories"],
  pending: ["login-pending"],
  launches: ["launches"],
  presets: (base: string, role: string) => ["presets", base, role],
  connections: ["connections"],
  schedule: ["schedule"],
  chart: (connectionId: string) => ["chart", connectionId],
  changes: (connectionId: string) => ["chart", connectionId, "changes"],
  records: (connectionId: string) => ["records", connectionId],
  people: ["people"],
  /** Charts and lists over several sources; any of their connections makes them stale. */
  persons: ["person"],
  everyRecord: ["record"],
  record: (connectionId: string) => ["record", connectionId],
  search: ["search"],
  trace: ["trace"],
  log: ["access-log"],
  privacy: ["privacy"],
} as const;

export function useAppStatus() {
  return useQuery({ queryKey: keys.status, queryFn: engine.appStatus });
}

function serverSearch(typed: string) {
  return queryOptions({ queryKey: [...keys.servers, typed], queryFn: () => engine.serversSearch(typed) });
}

/** Servers by what was typed; nothing typed gives those known by name. */
export function useServerSearch(typed: string) {
  return useQuery({ ...serverSearch(typed), placeholderData: keepPreviousData });
}

/** The same at once: Enter must not choose among the answers to what was typed before. */
export function useSearchServersNow(): (typed: string) => Promise<ServerView[]> {
  const client = useQueryClient();
  return (typed) => client.query(serverSearch(typed)).catch(() => []);
}

/** What a server says that it can do; asked again when it is chosen again. */
export function useServerCheck(base: string) {
  return useQuery({ queryKey: keys.serverCheck(base), queryFn: () => engine.serverCheck(base), staleTime: 60_000, retry: false });
}

export function useServerLogo(base: string, wanted: boolean) {
  return useQuery({ queryKey: [...keys.logos, base], queryFn: () => engine.serverLogo(base), enabled: wanted, staleTime: Infinity, retry: false });
}

export function useDirectories() {
  return useQuery({ queryKey: keys.directories, queryFn: engine.directories });
}

export function usePendingLogin() {
  return useQuery({ queryKey: keys.pending, queryFn: engine.loginPending });
}

/** Launches by a portal that wait for the person's yes. */
export function useLaunches() {
  return useQuery({ queryKey: keys.launches, queryFn: engine.launches });
}

/** How much can be asked of a server; it is asked only when somebody wants to know. */
export function useScopePresets(base: string, role: Role) {
  return useQuery({ queryKey: keys.presets(base, role), queryFn: () => engine.scopePresets(base, role) });
}

export function useConnections() {
  return useQuery({ queryKey: keys.connections, queryFn: engine.connections });
}

/** When sources are fetched by themselves; time goes by, so it is asked for again each minute. */
export function useSchedule() {
  return useQuery({ queryKey: keys.schedule, queryFn: engine.schedule, refetchInterval: 60_000 });
}

/** People with several sources, and connections that may be of one person. */
export function usePeople() {
  return useQuery({ queryKey: keys.people, queryFn: engine.people });
}

export function useChart(of: ChartOf) {
  return useQuery(
    "personId" in of
      ? { queryKey: [...keys.persons, of.personId, "chart"], queryFn: () => engine.personChart(of.personId) }
      : { queryKey: keys.chart(of.connectionId), queryFn: () => engine.chart(of.connectionId) },
  );
}

/** Lists and charts of a person go stale together; those of a connection with its records. */
function everythingOf(of: ChartOf): readonly string[] {
  return "personId" in of ? [...keys.persons, of.personId] : keys.records(of.connectionId);
}

/** The first page of a chart. */
export function useOverview(of: ChartOf) {
  return useQuery({ queryKey: [...everythingOf(of), "overview"], queryFn: () => engine.overview(of), placeholderData: keepPreviousData });
}

/** One page of everything by date. */
export function timelinePage(of: ChartOf, { section, abnormal }: TimelineFilter, page: number) {
  const filter = { section, abnormal };
  return queryOptions({
    queryKey: [...everythingOf(of), abnormal ? "timeline of what stands out" : "timeline", section, page],
    queryFn: () => engine.timeline(of, filter, page * PAGE_SIZE, PAGE_SIZE),
  });
}

/** How much of it each year has. */
export function useTimelineYears(of: ChartOf, filter: TimelineFilter) {
  return useQuery({ queryKey: [...everythingOf(of), "years", filter], queryFn: () => engine.timelineYears(of, filter), placeholderData: keepPreviousData });
}

/** The same measurement over time. */
export function useTrend(of: ChartOf, key: RecordKey, wanted: boolean) {
  return useQuery({ queryKey: [...everythingOf(of), "trend", key.connectionId, key.id], queryFn: () => engine.trend(of, key), enabled: wanted });
}

/** What the last sync changed. */
export function useChanges(connectionId: string) {
  return useQuery({ queryKey: keys.changes(connectionId), queryFn: () => engine.changes(connectionId) });
}

/** One page of a list; lists ask for the pages that are on screen. */
export function recordsPage(of: ChartOf, section: RecordFilter["section"], page: number) {
  const start = page * PAGE_SIZE;
  if ("personId" in of) {
    const filter: RecordFilter = { connectionId: null, section, resourceType: null };
    return queryOptions({
      queryKey: [...keys.persons, of.personId, section, page],
      queryFn: () => engine.personRecords(of.personId, filter, start, PAGE_SIZE),
    });
  }
  const filter: RecordFilter = { connectionId: of.connectionId, section, resourceType: null };
  return queryOptions({
    queryKey: [...keys.records(of.connectionId), section, page],
    queryFn: () => engine.records(filter, start, PAGE_SIZE),
  });
}

export function useRecord(key: RecordKey) {
  return useQuery({
    queryKey: [...keys.record(key.connectionId), key.resourceType, key.id],
    queryFn: () => engine.record(key),
  });
}

export function useAttachments(key: RecordKey, wanted: boolean) {
  return useQuery({
    queryKey: [...keys.record(key.connectionId), key.resourceType, key.id, "attachments"],
    queryFn: () => engine.attachments(key),
    enabled: wanted,
  });
}

/** What the words find, of one FHIR type or of all. */
export function useSearch(words: string, resourceType: string | null, limit: number) {
  return useQuery({
    queryKey: [...keys.search, words, resourceType, limit],
    queryFn: () => engine.search(words, { connectionId: null, section: null, resourceType }, limit),
    enabled: words.length > 0,
    placeholderData: keepPreviousData,
  });
}

/** What was done with the records; asked for anew when it is opened. */
export function useAccessLog() {
  return useQuery({ queryKey: keys.log, queryFn: () => engine.accessLog(LOG_ENTRIES), staleTime: 0, gcTime: 0 });
}

/** What was traced; always asked for anew when the screen opens. */
export function useTrace() {
  return useQuery({ queryKey: keys.trace, queryFn: engine.trace, staleTime: 0, gcTime: 0 });
}
