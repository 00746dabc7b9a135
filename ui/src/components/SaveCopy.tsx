import { useExportRecords } from "../api/actions";
import type { ChartOf, ExportFormat } from "../api/bindings";
import { Button } from "./Button";
import { ProblemNotice } from "./ProblemNotice";
import { useWords } from "../i18n";
import styles from "./SaveCopy.module.css";

interface SaveCopyProps {
  of: ChartOf;
  formats: readonly ExportFormat[];
  /** What is written, and that whoever finds the files can read them. */
  help: string;
}

/** Records of a chart as files among the person's downloads. */
export function SaveCopy({ of, formats, help }: SaveCopyProps) {
  const { t } = useWords();
  const save = useExportRecords();
  return (
    <>
      <p className={styles.help}>{help}</p>
      <div className={styles.formats}>
        {formats.map((format) => (
          <Button key={format} size="small" busy={save.isPending && save.variables.format === format} data-testid={`export-${format}`} onClick={() => save.mutate({ of, format })}>
            {t(`export.${format}`)}
          </Button>
        ))}
      </div>
      {save.error ? <ProblemNotice problem={save.error} /> : null}
      {save.data ? (
        <p className={styles.help} role="status">
          {t("export.saved", { folder: save.data })}
        </p>
      ) : null}
    </>
  );
}
