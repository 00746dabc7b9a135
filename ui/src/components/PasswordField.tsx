import { useId, useState, type Ref } from "react";
import { useWords } from "../i18n";
import { Button } from "./Button";
import styles from "./PasswordField.module.css";

interface PasswordFieldProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  /** One that is chosen now, or one that is known already: password managers want to know. */
  kind?: "new" | "current";
  help?: string;
  /** What is wrong with it. */
  error?: string | null;
  testId: string;
  ref?: Ref<HTMLInputElement>;
}

/** A field for a passphrase, which can be looked at while it is typed. */
export function PasswordField({ label, value, onChange, kind = "current", help, error = null, testId, ref }: PasswordFieldProps) {
  const { t } = useWords();
  const id = useId();
  const [shown, setShown] = useState(false);
  const about = [help ? `${id}-help` : "", error ? `${id}-error` : ""].filter(Boolean).join(" ");
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      <div className={styles.row}>
        <input
          ref={ref}
          id={id}
          data-testid={testId}
          className={styles.input}
          type={shown ? "text" : "password"}
          autoComplete={kind === "new" ? "new-password" : "current-password"}
          autoCapitalize="none"
          spellCheck={false}
          aria-invalid={error !== null}
          aria-describedby={about || undefined}
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
        <Button size="small" kind="quiet" aria-pressed={shown} aria-label={t("lock.showHelp", { field: label })} onClick={() => setShown(!shown)}>
          {t("lock.show")}
        </Button>
      </div>
      {help ? (
        <p id={`${id}-help`} className={styles.help}>
          {help}
        </p>
      ) : null}
      <p id={`${id}-error`} className={styles.error} role="alert">
        {error}
      </p>
    </div>
  );
}
