import { useEffect, useRef } from "react";

interface Shortcuts {
  onSearch: () => void;
  onBack: () => void;
  onLock: () => void;
}

/** Keys that work on every screen: Ctrl or Command with K searches, with L locks; Alt with the left arrow goes back. */
export function useShortcuts(shortcuts: Shortcuts): void {
  const latest = useRef(shortcuts);
  useEffect(() => {
    latest.current = shortcuts;
  });
  useEffect(() => {
    function hear(event: KeyboardEvent) {
      const command = event.ctrlKey || event.metaKey;
      if (command && !event.altKey && event.key.toLowerCase() === "k") latest.current.onSearch();
      else if (command && !event.altKey && event.key.toLowerCase() === "l") latest.current.onLock();
      else if (event.altKey && !command && event.key === "ArrowLeft") latest.current.onBack();
      else return;
      event.preventDefault();
    }
    window.addEventListener("keydown", hear);
    return () => window.removeEventListener("keydown", hear);
  }, []);
}
