import type { OverviewKind, RecordSummaryView } from "../../../api/bindings";
import { AsGiven } from "../../../components/AsGiven";
import { Badge } from "../../../components/Badge";
import { rangeSaid, valueSaid } from "../../../fhir/amounts";
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
function Line({ record, kind }: { record: RecordSummaryView; kind: OverviewKind }) {
  const { t, said } = useWords();
  const by = kind === "medications" && record.performer ? t("summary.prescribedBy", { name: record.performer }) : null;
  // The category of a problem is no news on a page of problems.
  const subtitle = kind === "problems" ? null : record.subtitle;
  if (!subtitle && !by) return null;
  return (
    <span className={styles.line}>
      {subtitle ? <AsGiven>{said(subtitle)}</AsGiven> : null}
      {subtitle && by ? " · " : null}
      {by}
    </span>
  );
}

/** One line of the summary: what, how much, and since when. */
export function Row({ record, kind, onOpen }: { record: RecordSummaryView; kind: OverviewKind; onOpen: () => void }) {
  const words = useWords();
  const { t, said, intl } = words;
  const { date, value, status, flag, range } = record;
  const when = date && formatFhirPeriod(intl, date.value, date.end ?? undefined, { since: (from) => from, until: (to) => to }, formatFhirDay);
  const high = kind === "allergies" && value === "High risk";
  return (
    <button type="button" className={styles.row} data-testid="summary-row" onClick={onOpen}>
      <span className={styles.what}>
        <span className={styles.name}>
          <AsGiven>{said(record.title)}</AsGiven>
        </span>
        <Line record={record} kind={kind} />
        {status && !EXPECTED[kind]?.test(status) ? <StatusBadge status={status} /> : null}
      </span>
      <span className={styles.how}>
        {high ? (
          <Badge tone="bad" icon="problem">
            {said(value)}
          </Badge>
        ) : value ? (
          <span className={styles.value}>
            <AsGiven>{valueSaid(words, record)}</AsGiven> <FlagMark flag={flag} />
          </span>
        ) : null}
        {range && flag && flag !== "normal" ? <span className={styles.line}>{t("record.range", { range: rangeSaid(words, range) })}</span> : null}
        {when || !UNDATED.has(kind) ? <span className={styles.line}>{when ?? t("record.undated")}</span> : null}
      </span>
    </button>
  );
}
