import { Select } from "../../components/Select";
import { useWords, type MessageId } from "../../i18n";
import styles from "./privacy.module.css";

interface ChoiceProps {
  name: string;
  checked: boolean;
  words: MessageId;
  help: MessageId;
  onChange: (on: boolean) => void;
}

/** On or off, with what it means. */
export function Choice({ name, checked, words, help, onChange }: ChoiceProps) {
  const { t } = useWords();
  return (
    <label className={styles.setting}>
      <input type="checkbox" data-testid={`privacy-${name}`} checked={checked} onChange={(event) => onChange(event.target.checked)} />
      <span>
        {t(words)}
        <span className={styles.help}>{t(help)}</span>
      </span>
    </label>
  );
}

const MINUTES = [1, 5, 15, 60];

/** After how long without a key or the mouse. One that was chosen elsewhere is offered too. */
export function Idle({ minutes, onChange }: { minutes: number | null; onChange: (minutes: number | null) => void }) {
  const { t } = useWords();
  const offered = minutes === null || MINUTES.includes(minutes) ? MINUTES : [...MINUTES, minutes].sort((one, other) => one - other);
  return (
    <Select label={t("privacy.idle")} data-testid="privacy-idle" value={minutes ?? "never"} onChange={(event) => onChange(event.target.value === "never" ? null : Number(event.target.value))}>
      {offered.map((one) => (
        <option key={one} value={one}>
          {t("privacy.idleMinutes", { minutes: one })}
        </option>
      ))}
      <option value="never">{t("privacy.idleNever")}</option>
    </Select>
  );
}
