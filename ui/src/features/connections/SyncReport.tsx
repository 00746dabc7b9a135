import type { StepOutcome, SyncReportView, SyncStepView } from "../../api/bindings";
import { Badge, type Tone } from "../../components/Badge";
import { Disclosure } from "../../components/Disclosure";
import type { IconName } from "../../components/Icon";
import { ProblemNotice } from "../../components/ProblemNotice";
import { useWords } from "../../i18n";
import { Changes } from "./Changes";
import styles from "./connections.module.css";

const OUTCOMES: Record<StepOutcome, { tone: Tone; icon: IconName }> = {
  complete: { tone: "good", icon: "check" },
  empty: { tone: "neutral", icon: "check" },
  notOffered: { tone: "neutral", icon: "info" },
  notShared: { tone: "sand", icon: "info" },
  failed: { tone: "bad", icon: "problem" },
  cutOff: { tone: "warn", icon: "abnormal" },
};

function Step({ step }: { step: SyncStepView }) {
  const { t, said, find } = useWords();
  const { tone, icon } = OUTCOMES[step.outcome];
  const why = step.problem && (find(`problem.${step.problem.code}`) ?? step.problem.message);
  return (
    <li className={styles.step}>
      <span className={styles.stepName}>
        {said(step.name)}
        {why ? <span className={styles.help}>{why}</span> : null}
        {step.remarks.map((text) => (
          <span key={text} className={styles.help}>
            {t("sync.remark", { text })}
          </span>
        ))}
      </span>
      <span className={styles.stepCount}>{step.records > 0 ? t("sync.records", { count: step.records }) : ""}</span>
      <Badge tone={tone} icon={icon}>
        {t(`outcome.${step.outcome}`)}
      </Badge>
    </li>
  );
}

/** What the last sync did, part by part; open from the start when something is missing. */
export function SyncReport({ report, connectionId }: { report: SyncReportView; connectionId: string }) {
  const { t } = useWords();
  return (
    <>
      {report.problem ? <ProblemNotice problem={report.problem} quiet /> : null}
      <Disclosure title={t("sync.report")} open={!report.complete}>
        <p className={styles.help}>
          {t("sync.changes", { added: report.newRecords, changed: report.changedRecords })}
          {report.withdrawnRecords > 0 ? ` ${t("sync.withdrawn", { count: report.withdrawnRecords })}` : ""}
          {report.unreadableRecords > 0 ? ` ${t("sync.unreadable", { count: report.unreadableRecords })}` : ""}
        </p>
        <ul>
          {report.steps.map((step, index) => (
            <Step key={index} step={step} />
          ))}
        </ul>
      </Disclosure>
      {report.hadRecords && report.newRecords + report.changedRecords + report.withdrawnRecords > 0 ? (
        <Disclosure title={t("changes.title")}>
          <Changes report={report} connectionId={connectionId} />
        </Disclosure>
      ) : null}
    </>
  );
}
