import { useId, useState } from "react";
import { useChangePassphrase, type PassphraseChange } from "../../api/privacy";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { PasswordField } from "../../components/PasswordField";
import { ProblemNotice } from "../../components/ProblemNotice";
import { useWords, type MessageId } from "../../i18n";
import styles from "./privacy.module.css";

export type Task = PassphraseChange["task"];

const SHORTEST = 8;

const TITLES: Record<Task, MessageId> = {
  set: "lock.setTitle",
  change: "lock.changeTitle",
  remove: "lock.removeTitle",
  atStart: "lock.atStartTitle",
  notAtStart: "lock.notAtStartTitle",
};

interface PassphraseDialogProps {
  task: Task;
  /** Whether it is asked for at start so far. */
  atStart: boolean;
  onClose: () => void;
}

/** Sets, changes or removes the passphrase, or when it is asked for; who knows the one that is set may. */
export function PassphraseDialog({ task, atStart, onClose }: PassphraseDialogProps) {
  const { t } = useWords();
  const change = useChangePassphrase();
  const form = useId();
  const [current, setCurrent] = useState("");
  const [passphrase, setPassphrase] = useState("");
  const [again, setAgain] = useState("");
  const [start, setStart] = useState(task === "set" ? true : atStart);
  const [tried, setTried] = useState(false);
  const isNew = task === "set" || task === "change";
  const short = isNew && Array.from(passphrase).length < SHORTEST;
  const different = isNew && passphrase !== again;

  function submit() {
    setTried(true);
    if (short || different) return;
    const wanted: PassphraseChange = task === "set" ? { task, passphrase, atStart: start } : task === "change" ? { task, current, passphrase, atStart: start } : { task, current };
    change.mutate(wanted, { onSuccess: onClose, onError: () => setCurrent("") });
  }

  return (
    <Dialog
      open
      onClose={onClose}
      title={t(TITLES[task])}
      actions={
        <>
          <Button onClick={onClose}>{t("lock.cancel")}</Button>
          <Button type="submit" form={form} kind={task === "remove" ? "danger" : "primary"} data-testid="passphrase-confirm" busy={change.isPending}>
            {task === "remove" ? t("privacy.remove") : t("lock.confirm")}
          </Button>
        </>
      }
    >
      <form
        id={form}
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        {task === "remove" ? <p>{t("lock.removeHelp")}</p> : null}
        {task === "notAtStart" ? <p>{t("lock.notAtStartHelp")}</p> : null}
        {task === "set" ? null : <PasswordField label={t("lock.current")} testId="passphrase-current" value={current} onChange={setCurrent} />}
        {isNew ? (
          <>
            <PasswordField kind="new" label={t("lock.new")} testId="passphrase-new" help={t("lock.newHelp")} value={passphrase} onChange={setPassphrase} error={tried && short ? t("lock.short") : null} />
            <PasswordField kind="new" label={t("lock.again")} testId="passphrase-again" value={again} onChange={setAgain} error={tried && different ? t("lock.different") : null} />
            <label className={styles.setting}>
              <input type="checkbox" data-testid="passphrase-at-start" checked={start} onChange={(event) => setStart(event.target.checked)} />
              <span>
                {t("privacy.atStart")}
                <span className={styles.help}>{t("privacy.atStartHelp")}</span>
              </span>
            </label>
            <p className={styles.warning}>{t("lock.warning")}</p>
          </>
        ) : null}
        {change.error ? <ProblemNotice problem={change.error} /> : null}
      </form>
    </Dialog>
  );
}
