import { dismissLoginFailure, useAcceptMove, useLastAttempt, useLoginFailure, useLoginStarting, useStartLogin } from "../../api/actions";
import { useConnections, usePendingLogin } from "../../api/queries";
import { Button } from "../../components/Button";
import { ProblemNotice } from "../../components/ProblemNotice";
import { Screen } from "../../components/Screen";
import { useWords } from "../../i18n";
import { ServerPicker } from "./picker/ServerPicker";
import { SignIn } from "./SignIn";
import styles from "./connect.module.css";

/** Why the last sign-in did not succeed, and the same again. */
function LastFailure() {
  const { t } = useWords();
  const failure = useLoginFailure();
  const attempt = useLastAttempt();
  const connections = useConnections().data;
  const start = useStartLogin();
  const accept = useAcceptMove();
  if (!failure) return null;
  const row = connections?.find(({ id }) => id === failure.connectionId);
  const again = attempt ?? (row ? (row.recordCount > 0 ? { connectionId: row.id } : { base: row.fhirBase, role: row.role }) : null);
  const moved = failure.problem.code === "server.moved";
  const tried = again && "connectionId" in again ? connections?.find(({ id }) => id === again.connectionId)?.fhirBase : again?.base;
  return (
    <ProblemNotice problem={accept.error ?? failure.problem}>
      {moved && again && tried ? (
        <Button data-testid="accept-move" busy={accept.isPending} onClick={() => accept.mutate(tried, { onSuccess: () => start.mutate(again) })}>
          {t("connect.acceptMove")}
        </Button>
      ) : null}
      {again && failure.problem.canRetry ? (
        <Button kind="primary" data-testid="signin-retry" onClick={() => start.mutate(again)}>
          {t("action.tryAgain")}
        </Button>
      ) : null}
      <Button onClick={dismissLoginFailure}>{t("action.close")}</Button>
    </ProblemNotice>
  );
}

/** Choose a server and who signs in; while a sign-in is going on, that instead. */
export function ConnectScreen({ firstRun }: { firstRun: boolean }) {
  const { t } = useWords();
  const pending = usePendingLogin().data;
  const starting = useLoginStarting();
  const start = useStartLogin();

  if (pending || starting) return <SignIn login={pending ?? null} />;

  return (
    <Screen title={t(firstRun ? "connect.welcome" : "connect.title")} intro={t(firstRun ? "connect.welcomeIntro" : "connect.intro")}>
      <LastFailure />
      {firstRun ? (
        <ul className={styles.promises}>
          <li>{t("connect.promiseHere")}</li>
          <li>{t("connect.promiseOffline")}</li>
          <li>{t("connect.promiseNobody")}</li>
        </ul>
      ) : null}
      <ServerPicker onRole={(base, role, preset) => start.mutate({ base, role, preset })} />
    </Screen>
  );
}
