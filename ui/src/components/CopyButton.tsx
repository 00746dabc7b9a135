import { useEffect, useState } from "react";
import { copyText } from "../api/privacy";
import { useWords } from "../i18n";
import { Button } from "./Button";
import { Icon } from "./Icon";

const SHOWN_MS = 2500;

/** Copies a text, and says whether it did. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const { t } = useWords();
  const [outcome, setOutcome] = useState<"copied" | "failed" | null>(null);

  useEffect(() => {
    if (outcome === null) return;
    const timer = setTimeout(() => setOutcome(null), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [outcome]);

  async function copy() {
    try {
      await copyText(text);
      setOutcome("copied");
    } catch {
      setOutcome("failed");
    }
  }

  return (
    <Button size="small" data-testid="copy" onClick={() => void copy()}>
      <Icon name={outcome === "copied" ? "check" : "copy"} size={16} />
      <span aria-live="polite">{outcome === "copied" ? t("copy.done") : outcome === "failed" ? t("copy.failed") : label}</span>
    </Button>
  );
}
