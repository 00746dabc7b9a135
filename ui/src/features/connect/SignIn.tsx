import { useEffect, useState } from "react";
import { abandonStart, useCancelLogin, useLoginFailure, useOpenPortalAgain, useStartLogin } from "../../api/actions";
import type { LoginStartedView } from "../../api/bindings";
import { useConnections } from "../../api/queries";
import { Button } from "../../components/Button";
import { CopyButton } from "../../components/CopyButton";
import { Icon } from "../../components/Icon";
import { ProblemNotice } from "../../components/ProblemNotice";
import { Screen } from "../../components/Screen";
import { Waiting } from "../../components/Waiting";
import { useWords } from "../../i18n";
import styles from "./connect.module.css";

/** True once the moment has passed. */
function usePassed(moment: string | undefined): boolean {
  const [passed, setPassed] = useState(false);
  useEffect(() => {
    const left = moment ? Date.parse(moment) - Date.now() : Number.NaN;
    if (Number.isNaN(left)) return;
    const timer = setTimeout(() => setPassed(true), Math.max(left, 0));
    return () => {
      clearTimeout(timer);
      setPassed(false);
    };
  }, [moment]);
  return passed;
}

function Starting() {
  const { t } = useWords();
  return (
    <Screen title={t("signin.starting")} intro={t("signin.startingIntro")}>
      <div className={styles.panel} data-testid="signin-progress">
        <Waiting label={t("signin.startingNow")} />
        <div className={styles.actions}>
          <Button data-testid="signin-cancel" onClick={abandonStart}>
            {t("action.cancel")}
          </Button>
        </div>
      </div>
    </Screen>
  );
}

function Lapsed({ login }: { login: LoginStartedView }) {
  const { t } = useWords();
  const start = useStartLogin();
  const cancel = useCancelLogin();
  const row = useConnections().data?.find(({ id }) => id === login.connectionId);
  const again = row && row.recordCount === 0 ? { base: row.fhirBase, role: row.role } : { connectionId: login.connectionId };
  const problem = { code: "login.expired", message: "", advice: "", detail: null, canRetry: true };
  return (
    <ProblemNotice problem={problem}>
      <Button kind="primary" data-testid="signin-retry" onClick={() => start.mutate(again)}>
        {t("action.tryAgain")}
      </Button>
      <Button data-testid="signin-cancel" onClick={() => cancel.mutate(login.connectionId)}>
        {t("action.cancel")}
      </Button>
    </ProblemNotice>
  );
}

/** The person is in the browser: what happens now, and the ways out. */
export function SignIn({ login }: { login: LoginStartedView | null }) {
  const { t, intl } = useWords();
  const cancel = useCancelLogin();
  const openAgain = useOpenPortalAgain();
  const failure = useLoginFailure();
  const lapsed = usePassed(login?.expiresAt);

  if (!login) return <Starting />;
  const server = login.serverName;
  return (
    <Screen title={t("signin.title")} intro={t("signin.intro", { server })}>
      {failure ? <ProblemNotice problem={failure.problem} quiet /> : null}
      {cancel.error ? <ProblemNotice problem={cancel.error} /> : null}
      {openAgain.error ? <ProblemNotice problem={openAgain.error} /> : null}
      {lapsed ? (
        <Lapsed login={login} />
      ) : (
        <div className={styles.panel} data-testid="signin-progress">
          <ol className={styles.steps}>
            <li>{t("signin.step1", { server })}</li>
            <li>{t("signin.step2")}</li>
            <li>{t("signin.step3")}</li>
          </ol>
          <Waiting label={t("signin.waiting", { time: intl.formatTime(login.expiresAt) })} />
          <p className={styles.help}>{t("signin.nothing")}</p>
          <div className={styles.actions}>
            <Button kind="primary" data-testid="signin-open-again" onClick={() => openAgain.mutate(login.connectionId)}>
              <Icon name="external" size={18} />
              {t("signin.openAgain")}
            </Button>
            <CopyButton text={login.authorizationUrl} label={t("signin.copy")} />
            <Button kind="quiet" data-testid="signin-cancel" busy={cancel.isPending} onClick={() => cancel.mutate(login.connectionId)}>
              {t("action.cancel")}
            </Button>
          </div>
        </div>
      )}
    </Screen>
  );
}
