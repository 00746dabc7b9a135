import type { ChangedFieldView, RecordSummaryView } from "../../api/bindings";
import { useChanges } from "../../api/queries";
import { ProblemNotice } from "../../components/ProblemNotice";
import { Waiting } from "../../components/Waiting";
import { formatFhirDay } from "../../fhir/dates";
import { useWords } from "../../i18n";
import styles from "./connections.module.css";

/** `valueQuantity.value` in words that a person can follow: "value quantity, value". */
function inWords(path: string): string {
  return path
    .replace(/\[\d+\]/g, "")
    .split(".")
    .map((name) => name.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase())
    .join(", ");
}

function Row({ record, fields = [] }: { record: RecordSummaryView; fields?: ChangedFieldView[] }) {
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

/** What the last sync brought, changed and no longer found. */
export function Changes({ connectionId }: { connectionId: string }) {
  const { t } = useWords();
  const changes = useChanges(connectionId);
  if (changes.isPending) return <Waiting label={t("waiting.changes")} />;
  if (changes.error) return <ProblemNotice problem={changes.error} quiet />;
  const { new: added, changed, withdrawn } = changes.data;
  return (
    <div data-testid="changes">
      {added.length > 0 ? <h4>{t("changes.new", { count: added.length })}</h4> : null}
      <ul>
        {added.map((record) => (
          <Row key={`${record.key.resourceType}/${record.key.id}`} record={record} />
        ))}
      </ul>
      {changed.length > 0 ? <h4>{t("changes.changed", { count: changed.length })}</h4> : null}
      <ul>
        {changed.map(({ record, fields }) => (
          <Row key={`${record.key.resourceType}/${record.key.id}`} record={record} fields={fields} />
        ))}
      </ul>
      {withdrawn.length > 0 ? (
        <>
          <h4>{t("changes.withdrawn", { count: withdrawn.length })}</h4>
          <p className={styles.help}>{t("changes.withdrawnWhy")}</p>
        </>
      ) : null}
      <ul>
        {withdrawn.map((record) => (
          <Row key={`${record.key.resourceType}/${record.key.id}`} record={record} />
        ))}
      </ul>
    </div>
  );
}
