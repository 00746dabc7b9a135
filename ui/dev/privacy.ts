/** A made-up lock, for looking at the screens. */
import type { PrivacySettingsView, PrivacyView, ProblemView } from "../src/api/bindings";

/** What opens the made-up lock. */
export const PASSPHRASE = "four plain old words";

const WRONG: ProblemView = {
  code: "lock.wrong_passphrase",
  message: "This is not the passphrase.",
  advice: "Type it again, and mind capital letters and the keyboard's language. Nothing was changed, and nothing will be erased.",
  detail: null,
  canRetry: true,
};

const LOCKED: ProblemView = { code: "app.locked", message: "Satchel is locked.", advice: "Unlock it with your passphrase.", detail: null, canRetry: false };

export const CHOSEN: PrivacySettingsView = { lockAfterMinutes: 15, lockWithSystem: true, blurWhenAway: false, clearClipboard: true };

/** `emit` says that it was locked or unlocked. */
export function makeLock(scene: string, emit: () => void) {
  let locked = scene === "locked" || scene === "wait";
  let wrong = scene === "wait" ? 3 : 0;
  let held: string | null = locked || scene === "passphrase" ? PASSPHRASE : null;
  let settings = CHOSEN;
  let atStart = held !== null;
  const check = (given: string | null) => {
    if (held !== null && given !== held) throw WRONG as unknown as Error;
  };
  return {
    status: () => ({ ready: !locked, problem: locked ? LOCKED : null, locked, retryAt: locked && wrong >= 3 ? new Date(Date.now() + 40_000).toISOString() : null, version: "0.1.0" }),
    replies: {
      app_lock: () => {
        locked = held !== null;
        emit();
        return null;
      },
      app_unlock: ({ passphrase }: { passphrase: string }) => {
        if (passphrase !== held) wrong += 1;
        check(passphrase);
        locked = false;
        wrong = 0;
        emit();
        return null;
      },
      app_start_anew: () => {
        locked = false;
        held = null;
        return { ready: true, problem: null, locked, retryAt: null, version: "0.1.0" };
      },
      app_touched: () => null,
      privacy_get: (): PrivacyView => ({ passphrase: held !== null, atStart, hearsSystem: true, settings }),
      privacy_set: (args: { settings: PrivacySettingsView }) => {
        settings = args.settings;
        return null;
      },
      passphrase_set: (args: { current: string | null; passphrase: string; atStart: boolean }) => {
        check(args.current);
        held = args.passphrase;
        atStart = args.atStart;
        return null;
      },
      passphrase_remove: ({ current }: { current: string }) => {
        check(current);
        held = null;
        atStart = false;
        return null;
      },
      lock_at_start: ({ current, on }: { current: string; on: boolean }) => {
        check(current);
        atStart = on;
        return null;
      },
      text_copy: () => null,
    },
  };
}
