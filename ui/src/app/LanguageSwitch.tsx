import { useState } from "react";
import { useWords } from "../i18n";
import { AUTO, chooseLanguage, LANGUAGES, readLanguage } from "../i18n/languages";
import styles from "./Shell.module.css";

/** The language of the window: as the system, or one of those that there are. */
export function LanguageSwitch() {
  const { t } = useWords();
  const [language, setLanguage] = useState(readLanguage);
  function choose(next: string) {
    setLanguage(next);
    void chooseLanguage(next);
  }
  return (
    <label className={styles.language}>
      <svg width="20" height="20" viewBox="0 0 24 24" aria-hidden="true" focusable="false" fill="none" stroke="currentColor" strokeWidth="2">
        <circle cx="12" cy="12" r="9" />
        <path d="M3 12h18M12 3c5 5 5 13 0 18c-5-5-5-13 0-18z" />
      </svg>
      <span className="visually-hidden">{t("language.label")}</span>
      <select value={language} onChange={(event) => choose(event.target.value)} data-testid="language">
        <option value={AUTO}>{t("language.auto")}</option>
        {Object.entries(LANGUAGES).map(([id, { name }]) => (
          <option key={id} value={id} lang={id}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
