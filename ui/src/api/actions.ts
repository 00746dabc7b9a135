/** What screens change; each says what it makes stale. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ChartOf, DirectoryView, Every, ExportFormat, LoginStartedView, ProblemView, RecordKey, Role, ScheduleSettingsView } from "./bindings";
import { engine } from "./client";
import { forgetProgress, loginFailure } from "./events";
import { keys } from "./queries";
import { createStore, useStore } from "./store";

/** Which login is being tried: needed to try the same again. */
export type LoginAttempt = { base: string; role: Role; preset?: string } | { connectionId: string };

const attempt = createStore<LoginAttempt | null>(null);
/** The login that is being prepared: the server is asked, the browser not yet opened. */
const starting = createStore<LoginAttempt | null>(null);

export function useLoginFailure() {
  return useStore(loginFailure);
}

export function useLastAttempt() {
  return useStore(attempt);
}

/** Whether a login is being prepared. */
export function useLoginStarting(): boolean {
  return useStore(starting) !== null;
}

export function dismissLoginFailure() {
  loginFailure.set(null);
}

/** Gives up a login that is still being prepared; should it succeed after all, it is cancelled. */
export function abandonStart() {
  starting.set(null);
}

function begin(wanted: LoginAttempt): Promise<LoginStartedView> {
  return "base" in wanted ? engine.loginStart(wanted.base, wanted.role, wanted.preset) : engine.loginReconnect(wanted.connectionId);
}

/** Starts a login, or starts it again on a connection. */
export function useStartLogin() {
  const client = useQueryClient();
  return useMutation<LoginStartedView, ProblemView, LoginAttempt>({
    mutationFn: begin,
    onMutate: (wanted) => {
      attempt.set(wanted);
      starting.set(wanted);
      loginFailure.set(null);
    },
    onSuccess: (started, wanted) => {
      if (starting.get() === wanted) {
        starting.set(null);
        client.setQueryData(keys.pending, started);
      } else {
        void engine.loginCancel(started.connectionId).catch(() => undefined);
      }
      void client.invalidateQueries({ queryKey: keys.connections });
    },
    onError: (problem, wanted) => {
      if (starting.get() !== wanted) return;
      starting.set(null);
      loginFailure.set({ connectionId: null, problem });
    },
  });
}

/** The person's yes to a launch by a portal: the sign-in begins. */
export function useAcceptLaunch() {
  const client = useQueryClient();
  return useMutation<LoginStartedView, ProblemView, string>({
    mutationFn: engine.launchAccept,
    onSuccess: (started) => {
      loginFailure.set(null);
      client.setQueryData(keys.pending, started);
      void client.invalidateQueries({ queryKey: keys.connections });
    },
    onSettled: () => client.invalidateQueries({ queryKey: keys.launches }),
  });
}

/** The person's no: nothing was sent, and it is forgotten. */
export function useRefuseLaunch() {
  const client = useQueryClient();
  return useMutation<null, ProblemView, string>({
    mutationFn: engine.launchRefuse,
    onSettled: () => client.invalidateQueries({ queryKey: keys.launches }),
  });
}

export function useCancelLogin() {
  const client = useQueryClient();
  return useMutation<null, ProblemView, string>({
    mutationFn: engine.loginCancel,
    onSuccess: () => {
      loginFailure.set(null);
      client.setQueryData(keys.pending, null);
      void client.invalidateQueries({ queryKey: keys.connections });
    },
  });
}

export function useOpenPortalAgain() {
  return useMutation<null, ProblemView, string>({ mutationFn: engine.loginOpenBrowser });
}

/** Asks a typed address what it can do; the answer is kept for the card that shows it. */
export function useCheckServer() {
  const client = useQueryClient();
  return useMutation<Awaited<ReturnType<typeof engine.serverCheck>>, ProblemView, string>({
    mutationFn: engine.serverCheck,
    onSuccess: (check) => client.setQueryData(keys.serverCheck(check.fhirBase), check),
  });
}

export function useOpenManagement() {
  return useMutation<null, ProblemView, string>({ mutationFn: engine.serverOpenManagement });
}

/** Takes the new address of a server's sign-in, as the person has decided. */
export function useAcceptMove() {
  const client = useQueryClient();
  return useMutation<null, ProblemView, string>({
    mutationFn: engine.serverAcceptMove,
    onSuccess: () => client.invalidateQueries({ queryKey: keys.connections }),
  });
}

/** Imports a list of servers from an address, or from a file that was read. */
export function useImportDirectory() {
  const client = useQueryClient();
  return useMutation<DirectoryView, ProblemView, { address: string } | { name: string; text: string }>({
    mutationFn: (from) => ("address" in from ? engine.directoryImportUrl(from.address) : engine.directoryImportText(from.name, from.text)),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: keys.servers });
      return client.invalidateQueries({ queryKey: keys.directories });
    },
  });
}

export function useRemoveDirectory() {
  const client = useQueryClient();
  return useMutation<null, ProblemView, string>({
    mutationFn: engine.directoryRemove,
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: keys.servers });
      return client.invalidateQueries({ queryKey: keys.directories });
    },
  });
}

export function useStartSync() {
  const client = useQueryClient();
  return useMutation<null, ProblemView, string>({
    mutationFn: engine.syncStart,
    onMutate: forgetProgress,
    onSuccess: () => client.invalidateQueries({ queryKey: keys.connections }),
  });
}

export function useCancelSync() {
  return useMutation<null, ProblemView, string>({ mutationFn: engine.syncCancel });
}

/** How often a source is fetched by itself. */
export function useChooseSchedule() {
  const client = useQueryClient();
  return useMutation<null, ProblemView, { connectionId: string; every: Every }>({
    mutationFn: ({ connectionId, every }) => engine.scheduleChoose(connectionId, every),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.schedule }),
  });
}

/** Battery, network and notifications, for all sources. */
export function useSetSchedule() {
  const client = useQueryClient();
  return useMutation<null, ProblemView, ScheduleSettingsView>({
    mutationFn: engine.scheduleSettings,
    onSuccess: () => client.invalidateQueries({ queryKey: keys.schedule }),
  });
}

export function useRemoveConnection() {
  const client = useQueryClient();
  return useMutation<null, ProblemView, string>({
    mutationFn: engine.connectionRemove,
    onSuccess: (_, connectionId) => {
      client.removeQueries({ queryKey: keys.chart(connectionId) });
      client.removeQueries({ queryKey: keys.records(connectionId) });
      client.removeQueries({ queryKey: keys.record(connectionId) });
      client.removeQueries({ queryKey: keys.persons });
      client.removeQueries({ queryKey: keys.search });
      void client.invalidateQueries({ queryKey: keys.people });
      return client.invalidateQueries({ queryKey: keys.connections });
    },
  });
}

export function useRetryApp() {
  const client = useQueryClient();
  return useMutation<Awaited<ReturnType<typeof engine.appRetry>>>({
    mutationFn: engine.appRetry,
    onSuccess: (status) => client.setQueryData(keys.status, status),
  });
}

export function useSwitchTrace() {
  const client = useQueryClient();
  return useMutation<null, ProblemView, boolean>({
    mutationFn: engine.traceSwitch,
    onSuccess: () => client.invalidateQueries({ queryKey: keys.trace }),
  });
}

export function useClearTrace() {
  const client = useQueryClient();
  return useMutation<null>({
    mutationFn: engine.traceClear,
    onSuccess: () => client.invalidateQueries({ queryKey: keys.trace }),
  });
}

/** Writes the archive; gives the file. */
export function useExportTrace() {
  return useMutation<string>({ mutationFn: engine.traceExport });
}

/** Writes the records of a connection into a new folder; gives its path. */
export function useExportRecords() {
  return useMutation<string, ProblemView, { of: ChartOf; format: ExportFormat }>({ mutationFn: ({ of, format }) => engine.recordsExport(of, format) });
}

/** Fetches one content of a document that is not here, also a large one. */
export function useFetchAttachment(key: RecordKey, position: number) {
  const client = useQueryClient();
  return useMutation<null, ProblemView, undefined>({
    mutationFn: () => engine.attachmentFetch(key, position),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.record(key.connectionId) }),
  });
}

/** Writes one content of a document among the downloads; gives the file. */
export function useSaveAttachment(key: RecordKey, position: number) {
  return useMutation<string, ProblemView, { open: boolean }>({ mutationFn: ({ open }) => engine.attachmentSave(key, position, open) });
}
