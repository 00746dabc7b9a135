import type { ChangedFieldView, RecordSummaryView, SyncReportView } from "../../api/bindings";
import { useChanges } from "../../api/queries";
import { ProblemNotice } from "../../components/ProblemNotice";
import { Waiting } from "../../components/Waiting";
import { formatFhirDay } from "../../fhir/dates";
import { useWords } from "../../i18n";
import styles from "./connections.module.css";

interface Change {
  record: RecordSummaryView;
  fields?: ChangedFieldView[];
}

/** `valueQuantity.value` in words that a person can follow: "value quantity, value". */
function inWords(path: string): string {
  return path
    .replace(/\[\d+\]/g, "")
    .split(".")
    .map((name) => name.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase())
    .join(", ");
}

function Row({ record, fields = [] }: Change) {
  const { t, intl } = useWords();
  return (
    <li className={styles.change}>
      <span className={styles.stepName}>
        {record.title}
        <span className={styles.help}>
          {record.date ? formatFhirDay(intl, record.date.value) : t("record.undated")}
          {record.value ? ` · ${record.value}` : ""}
        </span>
        {fields.map((field) => (
          <span key={field.path} className={styles.help}>
            {t("changes.field", { field: inWords(field.path), before: field.before ?? t("changes.nothing"), after: field.after ?? t("changes.nothing") })}
          </span>
        ))}
      </span>
    </li>
  );
}

/** One kind of change: how many in all, and those that are told one by one. */
function Part({ title, note, count, changes }: { title: string; note?: string; count: number; changes: Change[] }) {
  const { t } = useWords();
  if (count === 0) return null;
  return (
    <>
      <h3 className={styles.changesTitle}>{title}</h3>
      {note ? <p className={styles.help}>{note}</p> : null}
      <ul>
        {changes.map((change) => (
          <Row key={`${change.record.key.resourceType}/${change.record.key.id}`} {...change} />
        ))}
      </ul>
      {changes.length < count ? <p className={styles.help}>{t("changes.first", { count: changes.length })}</p> : null}
    </>
  );
}

/** What the last sync brought, changed and no longer found. */
export function Changes({ report, connectionId }: { report: SyncReportView; connectionId: string }) {
  const { t } = useWords();
  const changes = useChanges(connectionId);
  if (changes.isPending) return <Waiting label={t("waiting.changes")} />;
  if (changes.error) return <ProblemNotice problem={changes.error} quiet />;
  const { new: added, changed, withdrawn } = changes.data;
  const { newRecords, changedRecords, withdrawnRecords } = report;
  return (
    <div data-testid="changes">
      <Part title={t("changes.new", { count: newRecords })} count={newRecords} changes={added.map((record) => ({ record }))} />
      <Part title={t("changes.changed", { count: changedRecords })} count={changedRecords} changes={changed} />
      <Part
        title={t("changes.withdrawn", { count: withdrawnRecords })}
        note={t("changes.withdrawnWhy")}
        count={withdrawnRecords}
        changes={withdrawn.map((record) => ({ record }))}
      />
    </div>
  );
}
