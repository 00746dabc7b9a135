import { useState } from "react";
import type { TraceOutcome, TraceStepView } from "../../api/bindings";
import { Icon, type IconName } from "../../components/Icon";
import { useWords } from "../../i18n";
import { Part } from "./Part";
import styles from "./tester.module.css";

const MARKS: Record<TraceOutcome, { icon: IconName; style: string | undefined }> = {
  passed: { icon: "check", style: styles.passed },
  failed: { icon: "close", style: styles.failed },
  waiting: { icon: "sync", style: styles.waiting },
};

/** A mark that says it in words too, for those who do not see it. */
function Mark({ outcome, icon }: { outcome: TraceOutcome; icon?: IconName }) {
  const { t } = useWords();
  const mark = MARKS[outcome];
  return (
    <span className={`${styles.mark ?? ""} ${mark.style ?? ""}`}>
      <Icon name={icon ?? mark.icon} size={16} />
      <span className={styles.unseen}>{t(`trace.outcome.${outcome}`)}</span>
    </span>
  );
}

function Check({ step }: { step: TraceStepView }) {
  return (
    <div className={styles.line}>
      <Mark outcome={step.outcome} />
      <span className={styles.number}>{step.number}</span>
      <span className={styles.says}>{step.title}</span>
    </div>
  );
}

/** A request, or a trip of the browser: its parts are one click away. */
function Exchange({ step }: { step: TraceStepView }) {
  const { t } = useWords();
  const [shown, setShown] = useState(false);
  const browser = step.kind === "browserLeft" || step.kind === "browserCameBack" ? step.kind : null;
  const end = step.failure ?? (step.status === null ? null : String(step.status));
  return (
    <details className={styles.exchange} open={shown} onToggle={(event) => setShown(event.currentTarget.open)}>
      <summary className={styles.line}>
        <Mark outcome={step.outcome} icon={browser ? "external" : undefined} />
        <span className={styles.address}>
          {browser ? <span className={styles.says}>{t(`trace.${browser}`)} </span> : null}
          <code>{shown ? step.title : (step.title.split("?")[0] ?? "")}</code>
        </span>
        <span className={styles.end}>
          {end ? <span className={step.outcome === "failed" ? styles.failed : undefined}>{end}</span> : null}
          {step.milliseconds === null ? null : <span>{t("trace.milliseconds", { count: step.milliseconds })}</span>}
        </span>
      </summary>
      {shown ? (
        <div className={styles.parts}>
          {step.parts.map((part, index) => (
            <Part key={index} part={part} />
          ))}
        </div>
      ) : null}
    </details>
  );
}

/** A step: a check, or something that can be opened. */
export function Step({ step }: { step: TraceStepView }) {
  return (
    <li className={step.kind === "check" ? styles.check : undefined} data-testid="trace-step" data-number={step.number ?? undefined} data-outcome={step.outcome}>
      {step.kind === "check" ? <Check step={step} /> : <Exchange step={step} />}
    </li>
  );
}
