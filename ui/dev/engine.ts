/** An engine that is not one: answers from fixtures, so that screens can be seen and tested without the app. */
import type { AccessLogView, ConnectionView, DirectoryView, Event, Every, LaunchRequestView, LoginStartedView, ProblemView, RecordFilter, RecordKey, ScheduleSettingsView, ScopePresetView, SearchHitView, PersonView, RecordSummaryView, TimelineFilter } from "../src/api/bindings";
import type { Transport } from "../src/api/transport";
import { checkOf, LIST, LOGO, searchServers } from "./servers";
import { LOST, MANY, makeConnection, makePatient, makeSections, HOSPITAL, PERSON } from "./people";
import { scheduleOf, SETTINGS } from "./schedule";
import { TRACE } from "./trace";
import { makeLock } from "./privacy";
import { overviewOf, timelineOf, trendOf, yearsOf } from "./overview";
import { attachmentsOf } from "./documents";
import { RECORDS, type Fixture } from "./records";

export type Scene = "first" | "chart" | "offline" | "syncing" | "lost" | "many" | "signin" | "denied" | "nokeychain" | "empty" | "long" | "launch" | "people" | "maybe" | "locked" | "wait" | "passphrase";

const LOGIN: LoginStartedView = {
  connectionId: "c9",
  authorizationUrl: "https://auth.lakeside.example/authorize?response_type=code&client_id=8b1c&state=kP2",
  serverName: "Lakeside Family Clinic",
  expiresAt: new Date(Date.now() + 600_000).toISOString(),
};

export const LAUNCH: LaunchRequestView = { id: "l1", host: "portal.elsewhere.example", fhirBase: "https://portal.elsewhere.example/fhir", role: "patient", known: false };

const PRESETS: ScopePresetView[] = [
  { id: "everything", title: "Everything I may see", help: "All kinds of records.", scopes: ["launch/patient", "patient/*.rs"] },
  { id: "summary", title: "A summary", help: "Problems, medications, allergies.", scopes: ["launch/patient", "patient/Condition.rs"] },
];

export const DENIED: ProblemView = {
  code: "login.denied",
  message: "Access was not granted at the portal.",
  advice: "Nothing was changed. Sign in again if you want to share your records with Satchel.",
  detail: "error=access_denied",
  canRetry: true,
};

const NO_KEYCHAIN: ProblemView = {
  code: "keychain.missing",
  message: "This computer has no running keychain, and Satchel keeps its keys nowhere else.",
  advice: "Install and start one (on Debian and Ubuntu: gnome-keyring, or KWallet with its Secret Service), log in again, then try again.",
  detail: "org.freedesktop.DBus.Error.ServiceUnknown: The name org.freedesktop.secrets was not provided",
  canRetry: true,
};

const CONNECTIONS: Record<Scene, ConnectionView[]> = {
  first: [],
  launch: [],
  signin: [],
  denied: [],
  nokeychain: [],
  chart: [makeConnection()],
  offline: [makeConnection({ reachability: "offline" })],
  syncing: [makeConnection({ syncing: true })],
  lost: [makeConnection({ state: "accessLost", problem: LOST })],
  many: MANY,
  empty: [makeConnection({ recordCount: 1 })],
  long: [MANY[1]!, MANY[0]!],
  people: [makeConnection(), HOSPITAL],
  maybe: [makeConnection(), HOSPITAL],
  locked: [makeConnection()],
  wait: [makeConnection()],
  passphrase: [makeConnection()],
};

const LOG: AccessLogView[] = [
  { at: "2026-11-24T18:03:00Z", serverName: null, host: null, act: "unlockFailed", title: "", resourceTypes: [], records: 0, complete: true, problem: null },
  { at: "2026-11-24T10:32:00Z", serverName: "Lakeside Family Clinic", host: "fhir.lakeside.example", act: "synced", title: "", resourceTypes: ["Condition", "Observation"], records: 216, complete: true, problem: null },
  { at: "2026-11-23T08:00:00Z", serverName: "Lakeside Family Clinic", host: "fhir.lakeside.example", act: "signedIn", title: "", resourceTypes: [], records: 0, complete: false, problem: DENIED },
  { at: "2026-11-22T08:00:00Z", serverName: null, host: null, act: "exported", title: "", resourceTypes: ["Patient"], records: 1, complete: false, problem: null },
];

function detailOf({ summary, json, references }: Fixture) {
  return {
    summary,
    json,
    references: references.map(({ reference, title, type, id }) => ({ reference, title, key: { connectionId: "c1", resourceType: type, id } })),
    provenance: [],
    originals: { same: [], apart: [] },
    fetchedAt: "2026-11-24T10:31:12Z",
    lastUpdated: "2026-11-20T18:00:00Z",
  };
}

function searchFixtures(words: string, kind: string | null): SearchHitView[] {
  const pattern = new RegExp(words.split(/\s+/)[0]?.replace(/\W/g, "") ?? "", "i");
  return RECORDS.filter(({ summary }) => pattern.test(summary.title) && (kind === null || summary.key.resourceType === kind)).slice(0, 60).map(({ summary }) => {
    const at = summary.title.search(pattern);
    const found = pattern.exec(summary.title)?.[0] ?? "";
    const inDocument = summary.section === "documents";
    return {
      record: summary,
      inDocument,
      snippet: inDocument ? [{ text: "…no swelling of the ", matched: false }, { text: found, matched: true }, { text: " since the last visit…", matched: false }] : [
        { text: summary.title.slice(0, at), matched: false },
        { text: found, matched: true },
        { text: summary.title.slice(at + found.length), matched: false },
      ],
      patientName: "Ada Marie Lindqvist",
    };
  });
}

export interface FakeEngine extends Transport {
  /** What was called, in order. */
  calls: { command: string; args?: Record<string, unknown> }[];
  emit: (event: Event) => void;
  /** Answers one command differently from now on. */
  answer: (command: string, reply: (args?: Record<string, unknown>) => unknown) => void;
}

export function makeEngine(scene: Scene): FakeEngine {
  const listeners = new Set<(event: Event) => void>();
  const records = scene === "empty" ? RECORDS.slice(0, 1) : RECORDS;
  const counts = new Map<string, number>();
  records.forEach(({ summary: { section } }) => counts.set(section, (counts.get(section) ?? 0) + 1));
  let connections = CONNECTIONS[scene];
  let pending = scene === "signin" ? LOGIN : null;
  let launches: LaunchRequestView[] = scene === "launch" ? [LAUNCH] : [];
  let directories: DirectoryView[] = [];
  let settings: ScheduleSettingsView = SETTINGS;
  const chosen = new Map<string, Every>();
  let person: PersonView | null = scene === "people" ? PERSON : null;
  let refused = false;
  const apart = new Set<string>();
  /** What the hospital says: the same of every second record, and of every sixth in other words. */
  const other = ({ key, ...rest }: RecordSummaryView, at: number): RecordSummaryView =>
    ({ ...rest, key: { ...key, connectionId: HOSPITAL.id }, source: HOSPITAL.serverName, status: at % 6 === 0 ? "Resolved" : rest.status, alsoFrom: [] });
  const grouped = (row: RecordSummaryView, at: number): RecordSummaryView => {
    if (!person || at % 2 === 1 || apart.has(row.key.id)) return row;
    const also = other(row, at);
    return { ...row, alsoFrom: [{ key: also.key, source: also.source, differs: also.status !== row.status }] };
  };
  const importList = (source: string): DirectoryView => {
    const imported = { ...LIST, id: `d${directories.length}`, source };
    directories = [...directories, imported];
    return imported;
  };
  const find = (key: RecordKey) => records.find(({ summary }) => summary.key.resourceType === key.resourceType && summary.key.id === key.id);
  const notFound: ProblemView = { code: "record.not_found", message: "This is not stored here.", advice: "It may have been removed. Go back and look again.", detail: null, canRetry: false };

  const noKeychain = { ready: false, problem: NO_KEYCHAIN, locked: false, retryAt: null, version: "0.1.0" };
  const lock = makeLock(scene, () => listeners.forEach((hear) => hear({ type: "statusChanged" })));

  const replies: Record<string, (args: never) => unknown> = {
    app_status: () => (scene === "nokeychain" ? noKeychain : lock.status()),
    app_retry: () => noKeychain,
    ...lock.replies,
    servers_search: ({ typed }: { typed: string }) => searchServers(typed, scene === "long"),
    server_check: ({ base }: { base: string }) => checkOf(base),
    server_logo: () => LOGO,
    server_open_management: () => null,
    server_accept_move: () => null,
    directories_list: () => directories,
    directory_import_url: ({ address }: { address: string }) => importList(address),
    directory_import_text: ({ name }: { name: string }) => importList(`file:${name}`),
    directory_remove: ({ id }: { id: string }) => {
      directories = directories.filter((directory) => directory.id !== id);
      return null;
    },
    login_start: () => (pending = LOGIN),
    login_reconnect: () => (pending = LOGIN),
    login_open_browser: () => null,
    login_cancel: () => (pending = null),
    login_pending: () => pending,
    scope_presets: () => PRESETS,
    launches_pending: () => launches,
    launch_accept: () => {
      launches = [];
      return (pending = LOGIN);
    },
    launch_refuse: () => {
      launches = [];
      return null;
    },
    connections_list: () => connections,
    connection_remove: ({ connectionId }: { connectionId: string }) => {
      connections = connections.filter(({ id }) => id !== connectionId);
      return null;
    },
    connection_probe: () => null,
    sync_start: () => null,
    sync_cancel: () => null,
    schedule_get: () => ({ settings, connections: connections.filter(({ imported }) => !imported).map((connection) => scheduleOf(connection, chosen.get(connection.id))) }),
    schedule_choose: ({ connectionId, every }: { connectionId: string; every: Every }) => {
      chosen.set(connectionId, every);
      return null;
    },
    schedule_settings_set: (args: { settings: ScheduleSettingsView }) => {
      settings = args.settings;
      return null;
    },
    changes_get: () => {
      const rows = records.map(({ summary }) => summary);
      const [first, second, third] = rows;
      return {
        since: "2026-11-24T10:30:00Z",
        new: first ? [first] : [],
        changed: second ? [{ record: second, fields: [{ path: "status", before: "preliminary", after: "final" }] }] : [],
        withdrawn: third ? [{ ...third, withdrawnAt: "2026-11-24T10:32:00Z" }] : [],
      };
    },
    chart_get: ({ connectionId }: { connectionId: string }) => {
      const connection = connections.find(({ id }) => id === connectionId);
      if (!connection) throw notFound as unknown as Error;
      const long = scene === "long";
      return { connection, others: [], person: null, patient: makePatient(long), sections: makeSections(counts, long) };
    },
    people_list: () => ({
      people: person ? [person] : [],
      suggested: scene === "maybe" && !person ? [{ one: PERSON.sources[0], other: PERSON.sources[1], refused }] : [],
    }),
    people_join: () => (person = PERSON),
    people_split: () => (person = null),
    people_keep_apart: () => {
      refused = true;
      return null;
    },
    person_chart: () => ({ connection: connections[0], others: connections.slice(1), person, patient: makePatient(false), sections: makeSections(counts, false) }),
    person_records: ({ filter, offset, limit }: { filter: RecordFilter; offset: number; limit: number }) => {
      const rows = records.map(({ summary }) => summary).filter(({ section }) => section === filter.section);
      return { rows: rows.map(grouped).slice(offset, offset + limit), total: rows.length };
    },
    overview_get: () => overviewOf(records),
    timeline_list: ({ filter, offset, limit }: { filter: TimelineFilter; offset: number; limit: number }) => {
      const rows = timelineOf(records, filter);
      return { rows: rows.slice(offset, offset + limit), total: rows.length };
    },
    timeline_years: ({ filter }: { filter: TimelineFilter }) => yearsOf(timelineOf(records, filter)),
    trend_get: ({ key }: { key: RecordKey }) => trendOf(records, key),
    records_take_apart: ({ key }: { key: RecordKey }) => {
      apart.add(key.id);
      return null;
    },
    records_put_together: ({ key }: { key: RecordKey }) => {
      apart.delete(key.id);
      return null;
    },
    records_list: ({ filter, offset, limit }: { filter: RecordFilter; offset: number; limit: number }) => {
      const rows = records.map(({ summary }) => summary).filter(({ section }) => section === filter.section);
      return { rows: rows.slice(offset, offset + limit), total: rows.length };
    },
    record_get: ({ key }: { key: RecordKey }) => {
      const found = find(key);
      if (!found) throw notFound as unknown as Error;
      const detail = detailOf(found);
      if (!person) return detail;
      const rows = records.map(({ summary }) => summary).filter(({ section }) => section === found.summary.section);
      const at = rows.indexOf(found.summary);
      if (at % 2 === 1) return detail;
      const theirs = other(found.summary, at);
      const both = [found.summary, theirs];
      const summary = key.connectionId === HOSPITAL.id ? theirs : found.summary;
      const originals = apart.has(key.id) ? { same: [], apart: both.filter((one) => one !== summary) } : { same: both, apart: [] };
      return { ...detail, summary, originals };
    },
    attachments_get: ({ key }: { key: RecordKey }) => attachmentsOf(key.id),
    attachment_fetch: () => null,
    attachment_save: () => "/home/ada/Downloads/satchel-document-2026-11-25-101500.pdf",
    access_log_list: () => LOG,
    page_print: () => null,
    records_export: () => "/home/ada/Downloads/satchel-records-2026-11-25-101500",
    trace_get: () => TRACE,
    trace_switch: () => null,
    trace_clear: () => null,
    trace_export: () => "/tmp/satchel-trace.har",
    search: ({ words, filter }: { words: string; filter: RecordFilter }) => searchFixtures(words, filter.resourceType),
  };

  const calls: FakeEngine["calls"] = [];
  return {
    calls,
    emit: (event) => listeners.forEach((hear) => hear(event)),
    answer: (command, reply) => {
      replies[command] = reply;
    },
    call: async (command, args) => {
      calls.push({ command, args });
      await Promise.resolve();
      const reply = replies[command];
      if (!reply) throw new Error(`no such command: ${command}`);
      return reply(args as never);
    },
    listen: (hear) => {
      listeners.add(hear);
      return Promise.resolve(() => void listeners.delete(hear));
    },
  };
}
