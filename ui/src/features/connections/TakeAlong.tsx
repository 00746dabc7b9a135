import { useExportRecords } from "../../api/actions";
import type { ConnectionView } from "../../api/bindings";
import { Button } from "../../components/Button";
import { Disclosure } from "../../components/Disclosure";
import { ProblemNotice } from "../../components/ProblemNotice";
import { useWords } from "../../i18n";
import styles from "./connections.module.css";

/** The records of a source as files: every record byte for byte as it was received. */
export function TakeAlong({ connection }: { connection: ConnectionView }) {
  const { t } = useWords();
  const save = useExportRecords();
  const write = (bundle: boolean) => save.mutate({ connectionId: connection.id, bundle });
  return (
    <Disclosure title={t("export.title")}>
      <p className={styles.help}>{t("export.help")}</p>
      <div className={styles.actions}>
        <Button size="small" busy={save.isPending} data-testid="export-bundle" onClick={() => write(true)}>
          {t("export.bundle")}
        </Button>
        <Button size="small" busy={save.isPending} data-testid="export-ndjson" onClick={() => write(false)}>
          {t("export.ndjson")}
        </Button>
      </div>
      {save.error ? <ProblemNotice problem={save.error} /> : null}
      {save.data ? (
        <p className={styles.help} role="status">
          {t("export.saved", { folder: save.data })}
        </p>
      ) : null}
    </Disclosure>
  );
}
