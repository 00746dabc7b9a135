import { useState, type ReactNode } from "react";
import { useLock, usePrivacy, useSetPrivacy } from "../../api/privacy";
import type { PrivacySettingsView, PrivacyView } from "../../api/bindings";
import { Button } from "../../components/Button";
import { Icon } from "../../components/Icon";
import { ProblemNotice } from "../../components/ProblemNotice";
import { Screen } from "../../components/Screen";
import { Waiting } from "../../components/Waiting";
import { useWords } from "../../i18n";
import { PassphraseDialog, type Task } from "./PassphraseDialog";
import { Choice, Idle } from "./settings";
import styles from "./privacy.module.css";

type Choose = (change: Partial<PrivacySettingsView>) => void;

/** The passphrase, and when it is asked for. */
function Lock({ privacy, choose, onTask }: { privacy: PrivacyView; choose: Choose; onTask: (task: Task) => void }) {
  const { t } = useWords();
  const lock = useLock();
  const { passphrase, atStart, hearsSystem, settings } = privacy;
  return (
    <section className={styles.card} aria-labelledby="privacy-lock">
      <h2 id="privacy-lock" className={styles.heading}>
        {t("privacy.lock")}
      </h2>
      <p className={styles.help}>{t("privacy.lockHelp")}</p>
      <p className={styles.standing} data-testid="passphrase-standing" data-set={passphrase}>
        <Icon name={passphrase ? "lock" : "info"} />
        {passphrase ? t("privacy.isSet") : t("privacy.none")}
      </p>
      {passphrase ? (
        <>
          <div className={styles.actions}>
            <Button kind="primary" data-testid="privacy-lock-now" busy={lock.isPending} onClick={() => lock.mutate()}>
              {t("lock.nowLong")}
            </Button>
            <Button data-testid="passphrase-change" onClick={() => onTask("change")}>
              {t("privacy.change")}
            </Button>
            <Button data-testid="passphrase-remove" onClick={() => onTask("remove")}>
              {t("privacy.remove")}
            </Button>
          </div>
          <Choice name="at-start" checked={atStart} words="privacy.atStart" help="privacy.atStartHelp" onChange={(on) => onTask(on ? "atStart" : "notAtStart")} />
          <Idle minutes={settings.lockAfterMinutes} onChange={(lockAfterMinutes) => choose({ lockAfterMinutes })} />
          {hearsSystem ? (
            <Choice name="with-system" checked={settings.lockWithSystem} words="privacy.withSystem" help="privacy.withSystemHelp" onChange={(lockWithSystem) => choose({ lockWithSystem })} />
          ) : null}
          {lock.error ? <ProblemNotice problem={lock.error} /> : null}
        </>
      ) : (
        <div className={styles.actions}>
          <Button kind="primary" data-testid="passphrase-set" onClick={() => onTask("set")}>
            {t("privacy.set")}
          </Button>
        </div>
      )}
    </section>
  );
}

/** What a person can do about others who see their screen; `log` is what was done with the records. */
export function PrivacyScreen({ log }: { log: ReactNode }) {
  const { t } = useWords();
  const { data, error, isPending } = usePrivacy();
  const set = useSetPrivacy();
  const [task, setTask] = useState<Task | null>(null);
  const choose: Choose = (change) => {
    if (data) set.mutate({ ...data.settings, ...change });
  };
  return (
    <Screen title={t("privacy.title")} intro={t("privacy.intro")}>
      {isPending ? <Waiting label={t("privacy.waiting")} /> : null}
      {error ? <ProblemNotice problem={error} /> : null}
      {data ? (
        <>
          <Lock privacy={data} choose={choose} onTask={setTask} />
          <section className={styles.card} aria-labelledby="privacy-screen">
            <h2 id="privacy-screen" className={styles.heading}>
              {t("privacy.screen")}
            </h2>
            <Choice name="clipboard" checked={data.settings.clearClipboard} words="privacy.clipboard" help="privacy.clipboardHelp" onChange={(clearClipboard) => choose({ clearClipboard })} />
            <Choice name="blur" checked={data.settings.blurWhenAway} words="privacy.blur" help="privacy.blurHelp" onChange={(blurWhenAway) => choose({ blurWhenAway })} />
            <p className={styles.help}>{t("privacy.elsewhere")}</p>
          </section>
          {set.error ? <ProblemNotice problem={set.error} /> : null}
        </>
      ) : null}
      {log}
      {task && data ? <PassphraseDialog key={task} task={task} atStart={data.atStart} onClose={() => setTask(null)} /> : null}
    </Screen>
  );
}
