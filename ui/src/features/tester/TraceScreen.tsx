import { useClearTrace, useExportTrace, useSwitchTrace } from "../../api/actions";
import { useTrace } from "../../api/queries";
import { Button } from "../../components/Button";
import { EmptyState } from "../../components/EmptyState";
import { ProblemNotice } from "../../components/ProblemNotice";
import { Screen } from "../../components/Screen";
import { Waiting } from "../../components/Waiting";
import { useWords } from "../../i18n";
import { Flow } from "./Flow";
import styles from "./tester.module.css";

/** What the app did, step by step: each request, each check with its number. The newest is first and open. */
export function TraceScreen() {
  const { t } = useWords();
  const trace = useTrace();
  const change = useSwitchTrace();
  const clear = useClearTrace();
  const save = useExportTrace();
  const on = trace.data?.on ?? false;
  const flows = [...(trace.data?.flows ?? [])].reverse();
  const problem = trace.error ?? change.error ?? clear.error ?? save.error;

  return (
    <Screen title={t("trace.title")} intro={t("trace.intro")}>
      <div className={styles.controls}>
        <Button
          kind={on ? "secondary" : "primary"}
          role="switch"
          aria-checked={on}
          data-testid="trace-switch"
          busy={change.isPending}
          disabled={!trace.data}
          onClick={() => change.mutate(!on)}
        >
          {on ? t("trace.stop") : t("trace.start")}
        </Button>
        <Button data-testid="trace-export" busy={save.isPending} disabled={flows.length === 0} onClick={() => save.mutate()}>
          {t("trace.export")}
        </Button>
        <Button kind="quiet" data-testid="trace-clear" busy={clear.isPending} disabled={flows.length === 0} onClick={() => clear.mutate(undefined, { onSuccess: save.reset })}>
          {t("trace.clear")}
        </Button>
      </div>
      <p className={styles.saved} role="status" data-testid="trace-saved">
        {save.data ? t("trace.saved", { file: save.data }) : on ? t("trace.isOn") : t("trace.isOff")}
      </p>
      {problem ? <ProblemNotice problem={problem} /> : null}
      {trace.isPending ? <Waiting label={t("trace.waiting")} /> : null}
      {trace.isSuccess && flows.length === 0 ? (
        <EmptyState icon="trace" title={t("trace.none")}>
          <p>{t("trace.noneHelp")}</p>
        </EmptyState>
      ) : null}
      <div className={styles.flows}>
        {flows.map((flow, index) => (
          <Flow key={flow.id} flow={flow} open={index === 0} />
        ))}
      </div>
    </Screen>
  );
}
