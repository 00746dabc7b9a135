/** The lock, and the privacy of the screen. */
import { useMutation, useQuery, useQueryClient, type QueryClient } from "@tanstack/react-query";
import type { AppStatusView, PrivacySettingsView, ProblemView } from "./bindings";
import { engine } from "./client";
import { keys } from "./queries";

/** How the lock stands, and what was chosen. */
export function usePrivacy() {
  return useQuery({ queryKey: keys.privacy, queryFn: engine.privacy });
}

export function useSetPrivacy() {
  const client = useQueryClient();
  return useMutation<null, ProblemView, PrivacySettingsView>({
    mutationFn: engine.privacySet,
    onSuccess: () => client.invalidateQueries({ queryKey: keys.privacy }),
  });
}

/** What can be done with the passphrase; each needs the one that is set. */
export type PassphraseChange =
  | { task: "set"; passphrase: string; atStart: boolean }
  | { task: "change"; current: string; passphrase: string; atStart: boolean }
  | { task: "remove"; current: string }
  | { task: "atStart" | "notAtStart"; current: string };

function change(wanted: PassphraseChange): Promise<null> {
  switch (wanted.task) {
    case "set":
      return engine.passphraseSet(null, wanted.passphrase, wanted.atStart);
    case "change":
      return engine.passphraseSet(wanted.current, wanted.passphrase, wanted.atStart);
    case "remove":
      return engine.passphraseRemove(wanted.current);
    case "atStart":
    case "notAtStart":
      return engine.lockAtStart(wanted.current, wanted.task === "atStart");
  }
}

export function useChangePassphrase() {
  const client = useQueryClient();
  return useMutation<null, ProblemView, PassphraseChange>({
    mutationFn: change,
    // What was typed is not kept beside the answer.
    gcTime: 0,
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: keys.log });
      return client.invalidateQueries({ queryKey: keys.privacy });
    },
  });
}

export function useLock() {
  return useMutation<null>({ mutationFn: engine.lock });
}

export function useUnlock() {
  const client = useQueryClient();
  return useMutation<null, ProblemView, string>({
    mutationFn: engine.unlock,
    gcTime: 0,
    onSettled: () => client.invalidateQueries({ queryKey: keys.status }),
  });
}

/** Erases what nobody can open any more. */
export function useStartAnew() {
  const client = useQueryClient();
  return useMutation<AppStatusView>({
    mutationFn: engine.startAnew,
    onSuccess: (status) => client.setQueryData(keys.status, status),
  });
}

/** How it stands decides what may be shown: when it is locked, everything that was read is forgotten. */
export async function readStatusAnew(client: QueryClient): Promise<void> {
  const status = await engine.appStatus();
  client.setQueryData(keys.status, status);
  if (status.locked) {
    client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== keys.status[0] });
    client.getMutationCache().clear();
  } else {
    await client.invalidateQueries();
  }
}

/** Copies a text through the engine, which takes it out of the clipboard again; else as any page does. */
export async function copyText(text: string): Promise<void> {
  try {
    await engine.copy(text);
  } catch {
    await navigator.clipboard.writeText(text);
  }
}

/** The person is here. */
export function noteTouch(): void {
  void engine.touched().catch(() => undefined);
}
