import type { ReactNode } from "react";
import { useRetryApp } from "../api/actions";
import type { ProblemView } from "../api/bindings";
import { useAppStatus } from "../api/queries";
import { Button } from "../components/Button";
import { ProblemNotice } from "../components/ProblemNotice";
import { Screen } from "../components/Screen";
import { Waiting } from "../components/Waiting";
import { useWords } from "../i18n";
import { LockScreen } from "./LockScreen";

/** Why nothing can be shown yet, and trying again once it is put right. */
function NotReady({ problem }: { problem: ProblemView }) {
  const { t } = useWords();
  const retry = useRetryApp();
  return (
    <main data-testid="app-problem">
      <Screen title={t("app.problem")} intro={t("app.problemIntro")}>
        <ProblemNotice problem={retry.error ?? problem}>
          <Button kind="primary" data-testid="app-retry" busy={retry.isPending} onClick={() => retry.mutate()}>
            {t("action.tryAgain")}
          </Button>
        </ProblemNotice>
      </Screen>
    </main>
  );
}

/** Lets the screens through once the engine is ready. */
export function Gate({ children }: { children: ReactNode }) {
  const { t } = useWords();
  const status = useAppStatus();
  if (status.error) return <NotReady problem={status.error} />;
  if (!status.data) return <Waiting label={t("waiting.start")} />;
  if (status.data.locked) return <LockScreen retryAt={status.data.retryAt} />;
  if (!status.data.ready && status.data.problem) return <NotReady problem={status.data.problem} />;
  if (!status.data.ready) return <Waiting label={t("waiting.start")} />;
  return children;
}
