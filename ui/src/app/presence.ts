/** Whether somebody is at this window: it is told to the engine, which locks, and hides what is shown from others. */
import { useEffect } from "react";
import { copyText, noteTouch, usePrivacy } from "../api/privacy";

const TOUCHES = ["pointerdown", "pointermove", "keydown", "wheel"] as const;
const TELL_EVERY_MS = 5_000;

/** Tells of keys and the mouse, every few seconds at most. */
export function watchTouches(): () => void {
  let told = -Infinity;
  function hear() {
    const now = performance.now();
    if (now - told < TELL_EVERY_MS) return;
    told = now;
    noteTouch();
  }
  TOUCHES.forEach((name) => window.addEventListener(name, hear, { capture: true, passive: true }));
  return () => TOUCHES.forEach((name) => window.removeEventListener(name, hear, { capture: true }));
}

/** What a person marks and copies goes the way of the copy buttons. Fields are left alone: theirs is what was typed. */
function hearCopy(event: ClipboardEvent) {
  if (event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement) return;
  const text = document.getSelection()?.toString() ?? "";
  if (text === "") return;
  event.preventDefault();
  void copyText(text).catch(() => undefined);
}

/** Copies through the engine, and blurs while another window is in front, as the person chose. */
export function usePresence(): void {
  const settings = usePrivacy().data?.settings;
  const blur = settings?.blurWhenAway ?? false;
  const clear = settings?.clearClipboard ?? true;

  useEffect(() => {
    if (!clear) return;
    document.addEventListener("copy", hearCopy);
    return () => document.removeEventListener("copy", hearCopy);
  }, [clear]);

  useEffect(() => {
    if (!blur) return;
    const away = () => (document.documentElement.dataset.away = "");
    const here = () => delete document.documentElement.dataset.away;
    window.addEventListener("blur", away);
    window.addEventListener("focus", here);
    return () => {
      window.removeEventListener("blur", away);
      window.removeEventListener("focus", here);
      here();
    };
  }, [blur]);
}
