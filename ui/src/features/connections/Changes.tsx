import type { ChangedFieldView, RecordSummaryView, SyncReportView } from "../../api/bindings";
import { useChanges } from "../../api/queries";
import { AsGiven } from "../../components/AsGiven";
import { ProblemNotice } from "../../components/ProblemNotice";
import { Waiting } from "../../components/Waiting";
import { valueSaid } from "../../fhir/amounts";
import { fieldLabel } from "../../fhir/codes";
import { formatFhirDay } from "../../fhir/dates";
import { useWords, type Words } from "../../i18n";
import styles from "./connections.module.css";

interface Change {
  record: RecordSummaryView;
  fields?: ChangedFieldView[];
}

/** `valueQuantity.value` in words that a person can follow: "Result". */
function pathWords(words: Words, path: string): string {
  const names = path.replace(/\[\d+\]/g, "").split(".");
  return words.facts([...new Set(names.map((name) => fieldLabel(words, name)))]);
}

function Row({ record, fields = [] }: Change) {
  const words = useWords();
  const { t, find, said, intl } = words;
  const given = (value: string | null) => (value === null ? t("changes.nothing") : (find(`code.${value}`) ?? value));
  return (
    <li className={styles.change}>
      <span className={styles.stepName}>
        <AsGiven>{said(record.title)}</AsGiven>
        <span className={styles.help}>
          {record.date ? formatFhirDay(intl, record.date.value) : t("record.undated")}
          {record.value ? ` · ${valueSaid(words, record)}` : ""}
        </span>
        {fields.map((field) => (
          <span key={field.path} className={styles.help}>
            {t("changes.field", { field: pathWords(words, field.path), before: given(field.before), after: given(field.after) })}
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
