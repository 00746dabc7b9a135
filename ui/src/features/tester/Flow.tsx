import { useState } from "react";
import type { TraceFlowView } from "../../api/bindings";
import { Badge } from "../../components/Badge";
import { CopyButton } from "../../components/CopyButton";
import { ProblemNotice } from "../../components/ProblemNotice";
import { useWords } from "../../i18n";
import { Step } from "./Step";
import styles from "./tester.module.css";

/** One piece of work; its steps are made when it is opened. */
export function Flow({ flow, open }: { flow: TraceFlowView; open: boolean }) {
  const { t, intl } = useWords();
  const [shown, setShown] = useState(open);
  const failed = flow.problem !== null || flow.steps.some(({ kind, outcome }) => kind === "check" && outcome === "failed");
  const when = intl.formatTime(flow.startedAt, { hour: "numeric", minute: "2-digit", second: "2-digit" });
  return (
    <details className={styles.flow} open={shown} onToggle={(event) => setShown(event.currentTarget.open)} data-testid="trace-flow" data-kind={flow.kind}>
      <summary className={styles.flowHead}>
        <div className={styles.flowNames}>
          <h2 className={styles.flowName}>{t(`trace.kind.${flow.kind}`)}</h2>
          <span className={styles.help}>
            {flow.server ? `${flow.server} · ` : ""}
            {when} · {t("trace.steps", { count: flow.steps.length })}
          </span>
        </div>
        {failed ? (
          <Badge tone="bad" icon="problem">
            {t("trace.failed")}
          </Badge>
        ) : flow.endedAt ? (
          <Badge tone="good" icon="check">
            {t("trace.passed")}
          </Badge>
        ) : (
          <Badge tone="info" icon="sync">
            {t("trace.running")}
          </Badge>
        )}
      </summary>
      {shown ? (
        <div className={styles.flowBody}>
          <ol className={styles.steps}>
            {flow.steps.map((step, index) => (
              <Step key={index} step={step} />
            ))}
          </ol>
          {flow.leftOut > 0 ? <p className={styles.help}>{t("trace.leftOut", { count: flow.leftOut })}</p> : null}
          {flow.problem ? <ProblemNotice problem={flow.problem} quiet /> : null}
          <div>
            <CopyButton text={JSON.stringify(flow, null, 2)} label={t("trace.copy")} />
          </div>
        </div>
      ) : null}
    </details>
  );
}
