import type { Flag } from "../../api/bindings";
import { Badge, type Tone } from "../../components/Badge";
import type { IconName } from "../../components/Icon";
import { statusWords } from "../../fhir/codes";
import { useWords } from "../../i18n";

const FLAGS: Record<Exclude<Flag, "normal">, { tone: Tone; icon: IconName }> = {
  high: { tone: "warn", icon: "high" },
  low: { tone: "warn", icon: "low" },
  abnormal: { tone: "warn", icon: "abnormal" },
  criticalHigh: { tone: "bad", icon: "criticalHigh" },
  criticalLow: { tone: "bad", icon: "criticalLow" },
  criticalAbnormal: { tone: "bad", icon: "problem" },
};

/** High, low, critical: in words, by shape and by colour. */
export function FlagMark({ flag, always = false }: { flag: Flag | null; always?: boolean }) {
  const { t } = useWords();
  if (flag === null) return null;
  if (flag === "normal") {
    return always ? (
      <Badge tone="good" icon="check">
        {t("flag.normal")}
      </Badge>
    ) : null;
  }
  return (
    <Badge tone={FLAGS[flag].tone} icon={FLAGS[flag].icon}>
      {t(`flag.${flag}`)}
    </Badge>
  );
}

const GOOD = /^(active|completed|final|current|in progress|finished|resolved)/i;
const QUESTIONABLE = /error|cancel|stopped|refuted|not done|unknown|hold/i;

/** A record's status; the engine gives it in English words. */
export function StatusBadge({ status }: { status: string }) {
  const tone: Tone = QUESTIONABLE.test(status) ? "warn" : GOOD.test(status) ? "info" : "neutral";
  return <Badge tone={tone}>{statusWords(useWords(), status)}</Badge>;
}
