/** The one file that talks to Tauri: every command of the engine, typed, and its events. */
import { invoke } from "@tauri-apps/api/core";
import { listen as listenToTauri } from "@tauri-apps/api/event";
import type * as View from "./bindings";
import { problemOf } from "./problem";
import type { Transport } from "./transport";

const tauri: Transport = {
  call: (command, args) => invoke(command, args),
  listen: (hear) => listenToTauri<View.Event>("satchel", (event) => hear(event.payload)),
};

let transport: Transport = tauri;

/** For tests and for `npm run dev` without the app: another way to an engine. */
export function setTransport(other: Transport): void {
  transport = other;
}

async function call<T>(command: string, args?: Record<string, unknown>): Promise<T> {
  try {
    return (await transport.call(command, args)) as T;
  } catch (error) {
    throw problemOf(error);
  }
}

/** Hears the engine's events until the returned function is called. */
export function listen(hear: (event: View.Event) => void): Promise<() => void> {
  return transport.listen(hear);
}

export const engine = {
  appStatus: () => call<View.AppStatusView>("app_status"),
  appRetry: () => call<View.AppStatusView>("app_retry"),
  lock: () => call<null>("app_lock"),
  unlock: (passphrase: string) => call<null>("app_unlock", { passphrase }),
  startAnew: () => call<View.AppStatusView>("app_start_anew"),
  touched: () => call<null>("app_touched"),
  privacy: () => call<View.PrivacyView>("privacy_get"),
  privacySet: (settings: View.PrivacySettingsView) => call<null>("privacy_set", { settings }),
  passphraseSet: (current: string | null, passphrase: string, atStart: boolean) => call<null>("passphrase_set", { current, passphrase, atStart }),
  passphraseRemove: (current: string) => call<null>("passphrase_remove", { current }),
  lockAtStart: (current: string, on: boolean) => call<null>("lock_at_start", { current, on }),
  copy: (text: string) => call<null>("text_copy", { text }),
  serversSearch: (typed: string) => call<View.ServerView[]>("servers_search", { typed }),
  serverLogo: (base: string) => call<string | null>("server_logo", { base }),
  serverOpenManagement: (base: string) => call<null>("server_open_management", { base }),
  serverAcceptMove: (base: string) => call<null>("server_accept_move", { base }),
  directories: () => call<View.DirectoryView[]>("directories_list"),
  directoryImportUrl: (address: string) => call<View.DirectoryView>("directory_import_url", { address }),
  directoryImportText: (name: string, text: string) => call<View.DirectoryView>("directory_import_text", { name, text }),
  directoryRemove: (id: string) => call<null>("directory_remove", { id }),
  serverCheck: (base: string) => call<View.ServerCheckView>("server_check", { base }),
  loginStart: (base: string, role: View.Role, preset?: string) => call<View.LoginStartedView>("login_start", { base, role, preset }),
  scopePresets: (base: string, role: View.Role) => call<View.ScopePresetView[]>("scope_presets", { base, role }),
  launches: () => call<View.LaunchRequestView[]>("launches_pending"),
  launchAccept: (id: string) => call<View.LoginStartedView>("launch_accept", { id }),
  launchRefuse: (id: string) => call<null>("launch_refuse", { id }),
  loginReconnect: (connectionId: string) => call<View.LoginStartedView>("login_reconnect", { connectionId }),
  loginOpenBrowser: (connectionId: string) => call<null>("login_open_browser", { connectionId }),
  loginCancel: (connectionId: string) => call<null>("login_cancel", { connectionId }),
  loginPending: () => call<View.LoginStartedView | null>("login_pending"),
  connections: () => call<View.ConnectionView[]>("connections_list"),
  connectionRemove: (connectionId: string) => call<null>("connection_remove", { connectionId }),
  connectionProbe: (connectionId: string) => call<null>("connection_probe", { connectionId }),
  syncStart: (connectionId: string) => call<null>("sync_start", { connectionId }),
  syncCancel: (connectionId: string) => call<null>("sync_cancel", { connectionId }),
  schedule: () => call<View.ScheduleView>("schedule_get"),
  scheduleChoose: (connectionId: string, every: View.Every) => call<null>("schedule_choose", { connectionId, every }),
  scheduleSettings: (settings: View.ScheduleSettingsView) => call<null>("schedule_settings_set", { settings }),
  changes: (connectionId: string) => call<View.ChangesView>("changes_get", { connectionId }),
  chart: (connectionId: string) => call<View.ChartView>("chart_get", { connectionId }),
  records: (filter: View.RecordFilter, offset: number, limit: number) =>
    call<View.RecordPageView>("records_list", { filter, offset, limit }),
  record: (key: View.RecordKey) => call<View.RecordDetailView>("record_get", { key }),
  attachments: (key: View.RecordKey) => call<View.AttachmentView[]>("attachments_get", { key }),
  attachmentFetch: (key: View.RecordKey, position: number) => call<null>("attachment_fetch", { key, position }),
  attachmentSave: (key: View.RecordKey, position: number, open: boolean) => call<string>("attachment_save", { key, position, open }),
  people: () => call<View.PeopleView>("people_list"),
  peopleJoin: (one: string, other: string) => call<View.PersonView>("people_join", { one, other }),
  peopleSplit: (connectionId: string) => call<null>("people_split", { connectionId }),
  peopleKeepApart: (one: string, other: string) => call<null>("people_keep_apart", { one, other }),
  personChart: (personId: string) => call<View.ChartView>("person_chart", { personId }),
  personRecords: (personId: string, filter: View.RecordFilter, offset: number, limit: number) =>
    call<View.RecordPageView>("person_records", { personId, filter, offset, limit }),
  overview: (of: View.ChartOf) => call<View.OverviewView>("overview_get", { of }),
  trend: (of: View.ChartOf, key: View.RecordKey) => call<View.TrendView>("trend_get", { of, key }),
  timeline: (of: View.ChartOf, filter: View.TimelineFilter, offset: number, limit: number) =>
    call<View.RecordPageView>("timeline_list", { of, filter, offset, limit }),
  timelineYears: (of: View.ChartOf, filter: View.TimelineFilter) => call<View.YearView[]>("timeline_years", { of, filter }),
  accessLog: (limit: number) => call<View.AccessLogView[]>("access_log_list", { limit }),
  pagePrint: (of: View.ChartOf, records: number) => call<null>("page_print", { of, records }),
  recordsExport: (of: View.ChartOf, format: View.ExportFormat) => call<string>("records_export", { of, format }),
  recordsTakeApart: (key: View.RecordKey) => call<null>("records_take_apart", { key }),
  recordsPutTogether: (key: View.RecordKey) => call<null>("records_put_together", { key }),
  trace: () => call<View.TraceView>("trace_get"),
  traceSwitch: (on: boolean) => call<null>("trace_switch", { on }),
  traceClear: () => call<null>("trace_clear"),
  traceExport: () => call<string>("trace_export"),
  search: (words: string, filter: View.RecordFilter, limit: number) =>
    call<View.SearchHitView[]>("search", { words, filter, limit }),
};
