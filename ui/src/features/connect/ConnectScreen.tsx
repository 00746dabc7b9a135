import { useState } from "react";
import type { Role, ServerCheckView, ServerView } from "../../api/bindings";
import { dismissLoginFailure, useLastAttempt, useLoginFailure, useLoginStarting, useStartLogin } from "../../api/actions";
import { useConnections, usePendingLogin, useServers } from "../../api/queries";
import { Button } from "../../components/Button";
import { ProblemNotice } from "../../components/ProblemNotice";
import { Screen } from "../../components/Screen";
import { Waiting } from "../../components/Waiting";
import { useWords } from "../../i18n";
import { AddressForm } from "./AddressForm";
import { ServerCard } from "./ServerCard";
import { SignIn } from "./SignIn";
import styles from "./connect.module.css";

const PEOPLE: readonly Role[] = ["patient", "provider"];

/** Why the last sign-in did not succeed, and the same again. */
function LastFailure() {
  const { t } = useWords();
  const failure = useLoginFailure();
  const attempt = useLastAttempt();
  const connections = useConnections().data;
  const start = useStartLogin();
  if (!failure) return null;
  const row = connections?.find(({ id }) => id === failure.connectionId);
  const again = attempt ?? (row ? (row.recordCount > 0 ? { connectionId: row.id } : { base: row.fhirBase, role: row.role }) : null);
  return (
    <ProblemNotice problem={failure.problem}>
      {again && failure.problem.canRetry ? (
        <Button kind="primary" data-testid="signin-retry" onClick={() => start.mutate(again)}>
          {t("action.tryAgain")}
        </Button>
      ) : null}
      <Button onClick={dismissLoginFailure}>{t("action.close")}</Button>
    </ProblemNotice>
  );
}

function useOfferedServers(checked: ServerCheckView | null): ServerView[] {
  const { t } = useWords();
  const known = useServers().data ?? [];
  if (!checked || known.some(({ fhirBase }) => fhirBase === checked.fhirBase)) return known;
  const found = { fhirBase: checked.fhirBase, name: checked.name, description: t("connect.found"), forTesting: false };
  return [found, ...known];
}

/** Choose a server and who signs in; while a sign-in is going on, that instead. */
export function ConnectScreen({ firstRun }: { firstRun: boolean }) {
  const { t } = useWords();
  const [chosen, setChosen] = useState<string | null>(null);
  const [checked, setChecked] = useState<ServerCheckView | null>(null);
  const pending = usePendingLogin().data;
  const starting = useLoginStarting();
  const servers = useServers();
  const offered = useOfferedServers(checked);
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
      <section aria-labelledby="servers-heading" className={styles.servers}>
        <h2 id="servers-heading" className={styles.heading}>
          {t("connect.servers")}
        </h2>
        {servers.isPending ? <Waiting label={t("waiting.servers")} /> : null}
        {servers.error ? <ProblemNotice problem={servers.error} /> : null}
        <ul className={styles.cards}>
          {offered.map((server) => (
            <ServerCard
              key={server.fhirBase}
              server={server}
              chosen={chosen === server.fhirBase}
              roles={checked?.fhirBase === server.fhirBase ? checked.roles : PEOPLE}
              note={checked?.fhirBase === server.fhirBase && !checked.canRegister ? t("connect.cannotRegister") : undefined}
              onChoose={() => setChosen(server.fhirBase)}
              onRole={(role, preset) => start.mutate({ base: server.fhirBase, role, preset })}
            />
          ))}
        </ul>
      </section>
      <AddressForm
        onChecked={(server) => {
          setChecked(server);
          setChosen(server.fhirBase);
        }}
      />
    </Screen>
  );
}
