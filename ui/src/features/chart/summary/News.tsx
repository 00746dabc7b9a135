import type { ConnectionView, RecordKey, RecordSummaryView } from "../../../api/bindings";
import { useChanges } from "../../../api/queries";
import { AsGiven } from "../../../components/AsGiven";
import { Badge } from "../../../components/Badge";
import { Disclosure } from "../../../components/Disclosure";
import { valueSaid } from "../../../fhir/amounts";
import { useWords } from "../../../i18n";
import styles from "./summary.module.css";

/** So many are named; Connections tells them all. */
const NAMED = 5;

function Named({ title, rows, onOpen }: { title: string; rows: readonly RecordSummaryView[]; onOpen: (key: RecordKey) => void }) {
  const words = useWords();
  if (rows.length === 0) return null;
  return (
    <li>
      <p className={styles.newsKind}>{title}</p>
      <ul>
        {rows.slice(0, NAMED).map((record) => (
          <li key={`${record.key.resourceType}/${record.key.id}`}>
            <button type="button" className={styles.link} onClick={() => onOpen(record.key)}>
              <AsGiven>{words.said(record.title)}</AsGiven>
              {record.value ? ` · ${valueSaid(words, record)}` : ""}
            </button>
          </li>
        ))}
      </ul>
    </li>
  );
}

function OfSource({ source, onOpen }: { source: ConnectionView; onOpen: (key: RecordKey) => void }) {
  const { t, intl } = useWords();
  const { data } = useChanges(source.id);
  const report = source.lastSync;
  const count = report ? report.newRecords + report.changedRecords + report.withdrawnRecords : 0;
  // After the first sync everything would be new.
  if (!data?.since || !report || count === 0) return null;
  const changed = data.changed.map(({ record }) => record);
  return (
    <div className={styles.news} data-testid="summary-news">
      <p className={styles.newsTitle}>
        {t("news.title", { source: source.serverName, date: intl.formatDate(data.since, { dateStyle: "medium" }) })}{" "}
        {report.newRecords > 0 ? <Badge tone="info">{t("changes.new", { count: report.newRecords })}</Badge> : null}{" "}
        {report.changedRecords > 0 ? <Badge tone="info">{t("changes.changed", { count: report.changedRecords })}</Badge> : null}{" "}
        {report.withdrawnRecords > 0 ? <Badge tone="sand">{t("changes.withdrawn", { count: report.withdrawnRecords })}</Badge> : null}
      </p>
      <Disclosure title={t("news.which")}>
        <ul className={styles.newsList}>
          <Named title={t("changes.new", { count: report.newRecords })} rows={data.new} onOpen={onOpen} />
          <Named title={t("changes.changed", { count: report.changedRecords })} rows={changed} onOpen={onOpen} />
          <Named title={t("changes.withdrawn", { count: report.withdrawnRecords })} rows={data.withdrawn} onOpen={onOpen} />
        </ul>
      </Disclosure>
    </div>
  );
}

/** What the last syncs brought, source by source; nothing where nothing changed. */
export function News({ sources, onOpen }: { sources: readonly ConnectionView[]; onOpen: (key: RecordKey) => void }) {
  return sources.filter(({ imported }) => !imported).map((source) => <OfSource key={source.id} source={source} onOpen={onOpen} />);
}
