import type { AccessAct, AccessLogView } from "../../api/bindings";
import { useAccessLog } from "../../api/queries";
import { Disclosure } from "../../components/Disclosure";
import { ProblemNotice } from "../../components/ProblemNotice";
import { Waiting } from "../../components/Waiting";
import { typeWords } from "../../fhir/codes";
import { useWords } from "../../i18n";
import styles from "./connections.module.css";

/** What no server had to do with. */
const LOCAL: ReadonlySet<AccessAct> = new Set<AccessAct>(["locked", "unlocked", "unlockFailed", "lockChanged"]);

function Entry({ entry }: { entry: AccessLogView }) {
  const words = useWords();
  const { t, find, intl } = words;
  const where = entry.serverName ?? t(LOCAL.has(entry.act) ? "lock.thisComputer" : "log.everywhere");
  const kinds = entry.resourceTypes.map((type) => typeWords(words, type));
  return (
    <li className={styles.change}>
      <span className={styles.stepName}>
        {t(`act.${entry.act}`)}
        <span className={styles.help}>
          {intl.formatDate(entry.at, { dateStyle: "medium", timeStyle: "short" })} · {where}
          {entry.host && entry.host !== where ? ` (${entry.host})` : ""}
        </span>
        {entry.records > 0 ? <span className={styles.help}>{[t("log.records", { count: entry.records }), ...new Set(kinds)].join(" · ")}</span> : null}
        {entry.problem ? <span className={styles.help}>{find(`problem.${entry.problem.code}`) ?? entry.problem.message}</span> : null}
        {!entry.problem && !entry.complete ? <span className={styles.help}>{t("log.partly")}</span> : null}
      </span>
    </li>
  );
}

function Entries() {
  const { t } = useWords();
  const log = useAccessLog();
  if (log.isPending) return <Waiting label={t("waiting.log")} />;
  if (log.error) return <ProblemNotice problem={log.error} quiet />;
  if (log.data.length === 0) return <p className={styles.help}>{t("log.empty")}</p>;
  return (
    <ul data-testid="access-log">
      {log.data.map((entry, index) => (
        <Entry key={`${entry.at} ${index}`} entry={entry} />
      ))}
    </ul>
  );
}

/** Who dealt with the records, when, and what was done; it is read when somebody wants to know. */
export function AccessLog() {
  const { t } = useWords();
  return (
    <Disclosure title={t("log.title")}>
      <p className={styles.help}>{t("log.intro")}</p>
      <Entries />
    </Disclosure>
  );
}
