import type { Ref } from "react";
import type { RecordSummaryView } from "../../api/bindings";
import { AsGiven } from "../../components/AsGiven";
import { Badge } from "../../components/Badge";
import { rangeSaid, valueSaid } from "../../fhir/amounts";
import { formatFhirDay, formatFhirPeriod } from "../../fhir/dates";
import { useWords } from "../../i18n";
import { FlagMark, StatusBadge } from "./marks";
import styles from "./rows.module.css";

interface RecordRowProps {
  record: RecordSummaryView;
  selected: boolean;
  tabbable: boolean;
  onSelect: () => void;
  onFocus: () => void;
  ref?: Ref<HTMLButtonElement>;
}

/** One record: what, when, how much, and whether it stands out. */
export function RecordRow({ record, selected, tabbable, onSelect, onFocus, ref }: RecordRowProps) {
  const words = useWords();
  const { t, said, intl } = words;
  const date =
    record.date &&
    formatFhirPeriod(intl, record.date.value, record.date.end ?? undefined, { since: (from) => from, until: (to) => to }, formatFhirDay);
  return (
    <button
      ref={ref}
      type="button"
      className={styles.row}
      data-testid="record-row"
      aria-current={selected}
      tabIndex={tabbable ? 0 : -1}
      onClick={onSelect}
      onFocus={onFocus}
    >
      <span className={styles.what}>
        <span className={styles.title}>
          <AsGiven>{said(record.title)}</AsGiven>
        </span>
        {record.subtitle ? (
          <span className={styles.subtitle}>
            <AsGiven>{said(record.subtitle)}</AsGiven>
          </span>
        ) : null}
        <span className={styles.under}>
          {record.malformed ? (
            <Badge tone="warn" icon="problem">
              {t("record.malformed")}
            </Badge>
          ) : null}
          {record.withdrawnAt ? (
            <Badge tone="sand" icon="info">
              {t("record.withdrawn")}
            </Badge>
          ) : null}
          {record.status ? <StatusBadge status={record.status} /> : null}
          {record.alsoFrom.length > 0 ? (
            <Badge tone="info" icon="connections">
              {t("group.sources", { count: record.alsoFrom.length + 1 })}
            </Badge>
          ) : null}
          {record.alsoFrom.some(({ differs }) => differs) ? (
            <Badge tone="sand" icon="info">
              {t("group.differs")}
            </Badge>
          ) : null}
          <span className={styles.source}>
            <AsGiven>{words.list([record.source, ...record.alsoFrom.map(({ source }) => source)])}</AsGiven>
          </span>
        </span>
      </span>
      <span className={styles.how}>
        {record.value ? (
          <span className={styles.value}>
            <AsGiven>{valueSaid(words, record)}</AsGiven> <FlagMark flag={record.flag} />
          </span>
        ) : (
          <FlagMark flag={record.flag} />
        )}
        {record.range ? <span className={styles.range}>{t("record.range", { range: rangeSaid(words, record.range) })}</span> : null}
        <span className={styles.date}>{date ?? t("record.undated")}</span>
      </span>
    </button>
  );
}
