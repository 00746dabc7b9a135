import type { OverviewKind, RecordSummaryView } from "../../../api/bindings";
import { Badge } from "../../../components/Badge";
import { formatFhirDay, formatFhirPeriod } from "../../../fhir/dates";
import { useWords } from "../../../i18n";
import { FlagMark, StatusBadge } from "../marks";
import styles from "./summary.module.css";

/** What a block is about anyway needs not be said of each row. */
const EXPECTED: Partial<Record<OverviewKind, RegExp>> = {
  allergies: /^active$/i,
  problems: /^active$/i,
  medications: /^active$/i,
  labs: /^final$/i,
  vitals: /^final$/i,
  immunizations: /^completed$/i,
  procedures: /^completed$/i,
  visits: /^(finished|completed)$/i,
  plans: /^active$/i,
  careTeam: /^active$/i,
  insurance: /^active$/i,
};

/** Of these it is not worth a word that they have no date. */
const UNDATED: ReadonlySet<OverviewKind> = new Set(["allergies", "careTeam", "insurance"]);

/** The second line; of a medication, who prescribed it too. */
function lineOf(record: RecordSummaryView, kind: OverviewKind, by: (name: string) => string): string {
  const said = kind === "medications" && record.performer ? by(record.performer) : null;
  // The category of a problem is no news on a page of problems.
  const subtitle = kind === "problems" ? null : record.subtitle;
  return [subtitle, said].filter(Boolean).join(" · ");
}

/** One line of the summary: what, how much, and since when. */
export function Row({ record, kind, onOpen }: { record: RecordSummaryView; kind: OverviewKind; onOpen: () => void }) {
  const { t, intl } = useWords();
  const { date, value, status, flag, range } = record;
  const when = date && formatFhirPeriod(intl, date.value, date.end ?? undefined, { since: (from) => from, until: (to) => to }, formatFhirDay);
  const line = lineOf(record, kind, (name) => t("summary.prescribedBy", { name }));
  const high = kind === "allergies" && value === "High risk";
  return (
    <button type="button" className={styles.row} data-testid="summary-row" onClick={onOpen}>
      <span className={styles.what}>
        <span className={styles.name}>{record.title}</span>
        {line ? <span className={styles.line}>{line}</span> : null}
        {status && !EXPECTED[kind]?.test(status) ? <StatusBadge status={status} /> : null}
      </span>
      <span className={styles.how}>
        {high ? (
          <Badge tone="bad" icon="problem">
            {value}
          </Badge>
        ) : value ? (
          <span className={styles.value}>
            {value} <FlagMark flag={flag} />
          </span>
        ) : null}
        {range && flag && flag !== "normal" ? <span className={styles.line}>{t("record.range", { range })}</span> : null}
        {when || !UNDATED.has(kind) ? <span className={styles.line}>{when ?? t("record.undated")}</span> : null}
      </span>
    </button>
  );
}
