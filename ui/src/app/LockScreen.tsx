import { useEffect, useRef, useState } from "react";
import { useStartAnew, useUnlock } from "../api/privacy";
import { Button } from "../components/Button";
import { Dialog } from "../components/Dialog";
import { Disclosure } from "../components/Disclosure";
import { Icon } from "../components/Icon";
import { PasswordField } from "../components/PasswordField";
import { ProblemNotice } from "../components/ProblemNotice";
import { useWords } from "../i18n";
import styles from "./LockScreen.module.css";

/** Seconds until then, counted down. */
function useSecondsUntil(at: string | null): number {
  const [now, setNow] = useState(() => Date.now());
  const seconds = at === null ? 0 : Math.max(0, Math.ceil((Date.parse(at) - now) / 1000));
  useEffect(() => {
    if (at === null) return;
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [at]);
  return seconds;
}

/** Asks before everything goes that nobody can open any more. */
function AnewDialog({ onClose }: { onClose: () => void }) {
  const { t } = useWords();
  const anew = useStartAnew();
  return (
    <Dialog
      open
      onClose={onClose}
      title={t("lock.anewTitle")}
      actions={
        <>
          <Button onClick={onClose}>{t("lock.cancel")}</Button>
          <Button kind="danger" data-testid="anew-confirm" busy={anew.isPending} onClick={() => anew.mutate()}>
            {anew.isPending ? t("lock.erasing") : t("lock.anewConfirm")}
          </Button>
        </>
      }
    >
      <p>{t("lock.anewRecords")}</p>
      <p>{t("lock.anewAccess")}</p>
      {anew.error ? <ProblemNotice problem={anew.error} /> : null}
    </Dialog>
  );
}

/** Nothing of anybody's records: the way in, and what to do for who lost it. */
export function LockScreen({ retryAt }: { retryAt: string | null }) {
  const { t } = useWords();
  const unlock = useUnlock();
  const field = useRef<HTMLInputElement>(null);
  const [passphrase, setPassphrase] = useState("");
  const [erasing, setErasing] = useState(false);
  const wait = useSecondsUntil(retryAt);

  useEffect(() => field.current?.focus(), []);

  function submit() {
    if (passphrase === "" || wait > 0 || unlock.isPending) return;
    unlock.mutate(passphrase, {
      onError: () => {
        setPassphrase("");
        field.current?.focus();
      },
    });
  }

  return (
    <main className={styles.screen} data-testid="lock-screen">
      <div className={styles.column}>
        <span className={styles.mark} aria-hidden="true">
          <Icon name="lock" size={30} />
        </span>
        <h1 className={styles.title}>{t("lock.title")}</h1>
        <p className={styles.intro}>{t("lock.intro")}</p>
        <form
          className={styles.form}
          onSubmit={(event) => {
            event.preventDefault();
            submit();
          }}
        >
          <PasswordField ref={field} label={t("lock.passphrase")} testId="unlock-passphrase" value={passphrase} onChange={setPassphrase} />
          <Button type="submit" kind="primary" data-testid="unlock" busy={unlock.isPending} disabled={passphrase === "" || wait > 0}>
            {unlock.isPending ? t("lock.unlocking") : t("lock.unlock")}
          </Button>
          <p className={styles.wait} role="timer" data-testid="unlock-wait">
            {wait > 0 ? t("lock.wait", { seconds: wait }) : ""}
          </p>
          {unlock.error ? <ProblemNotice problem={unlock.error} /> : null}
        </form>
        <Disclosure title={t("lock.forgotten")}>
          <p>{t("lock.forgottenHelp")}</p>
          <Button kind="danger" size="small" data-testid="anew" onClick={() => setErasing(true)}>
            {t("lock.anew")}
          </Button>
        </Disclosure>
      </div>
      {erasing ? <AnewDialog onClose={() => setErasing(false)} /> : null}
    </main>
  );
}
