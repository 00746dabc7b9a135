import { useGroup } from "../../api/people";
import type { RecordDetailView, RecordKey, RecordSummaryView } from "../../api/bindings";
import { AsGiven } from "../../components/AsGiven";
import { Button } from "../../components/Button";
import { ProblemNotice } from "../../components/ProblemNotice";
import { valueSaid } from "../../fhir/amounts";
import { formatFhirPeriod } from "../../fhir/dates";
import { useWords } from "../../i18n";
import { FlagMark, StatusBadge } from "./marks";
import styles from "./originals.module.css";

const isSame = (one: RecordKey, other: RecordKey) => one.connectionId === other.connectionId && one.resourceType === other.resourceType && one.id === other.id;

/** One source's own words. */
function Original({ record, current, onOpen }: { record: RecordSummaryView; current: boolean; onOpen: () => void }) {
  const words = useWords();
  const { t, said, intl } = words;
  const date = record.date && formatFhirPeriod(intl, record.date.value, record.date.end ?? undefined, { since: (from) => from, until: (to) => t("period.until", { date: to }) });
  return (
    <li>
      <button type="button" className={styles.original} aria-current={current} data-testid="original" onClick={onOpen}>
        <span className={styles.source}>
          <AsGiven>{record.source}</AsGiven>
        </span>
        <span className={styles.title}>
          <AsGiven>{said(record.title)}</AsGiven>
        </span>
        {record.subtitle ? (
          <span className={styles.line}>
            <AsGiven>{said(record.subtitle)}</AsGiven>
          </span>
        ) : null}
        {record.value ? (
          <span className={styles.value}>
            <AsGiven>{valueSaid(words, record)}</AsGiven> <FlagMark flag={record.flag} />
          </span>
        ) : null}
        <span className={styles.line}>
          {record.status ? <StatusBadge status={record.status} /> : null} {date ?? t("record.undated")}
        </span>
      </button>
    </li>
  );
}

interface OriginalsProps {
  detail: RecordDetailView;
  onOpen: (key: RecordKey) => void;
}

function Row({ records, detail, onOpen }: OriginalsProps & { records: readonly RecordSummaryView[] }) {
  return (
    <ul className={styles.originals}>
      {records.map((record) => {
        const { key } = record;
        return <Original key={`${key.connectionId} ${key.resourceType} ${key.id}`} record={record} current={isSame(key, detail.summary.key)} onOpen={() => onOpen(key)} />;
      })}
    </ul>
  );
}

/** The same from other sources, side by side; the person may take them apart, and put them together again. */
export function Originals({ detail, onOpen }: OriginalsProps) {
  const { t } = useWords();
  const { same, apart } = detail.originals;
  const takeApart = useGroup(true);
  const putTogether = useGroup(false);
  const problem = takeApart.error ?? putTogether.error;
  const { key } = detail.summary;
  return (
    <>
      {same.length > 1 ? (
        <section className={styles.group} aria-label={t("group.sources", { count: same.length })} data-testid="originals">
          <div className={styles.head}>
            <h3>{t("group.say", { count: same.length })}</h3>
            <Button size="small" data-testid="take-apart" busy={takeApart.isPending} onClick={() => takeApart.mutate(key)}>
              {t("group.notTheSame")}
            </Button>
          </div>
          <Row records={same} detail={detail} onOpen={onOpen} />
        </section>
      ) : null}
      {apart.length > 0 ? (
        <section className={styles.group} aria-label={t("group.apart")} data-testid="kept-apart">
          <div className={styles.head}>
            <h3>{t("group.apart")}</h3>
            <Button size="small" data-testid="put-together" busy={putTogether.isPending} onClick={() => putTogether.mutate(key)}>
              {t("group.theSame")}
            </Button>
          </div>
          <Row records={apart} detail={detail} onOpen={onOpen} />
        </section>
      ) : null}
      {problem ? <ProblemNotice problem={problem} /> : null}
    </>
  );
}
