import { useState } from "react";
import { useWords } from "../i18n";
import styles from "./Shell.module.css";
import { chooseTheme, readTheme, type Theme } from "./theme";

const NEXT: Record<Theme, Theme> = { auto: "light", light: "dark", dark: "auto" };

/** Goes through the colours: as the system, light, dark. */
export function ThemeSwitch() {
  const { t } = useWords();
  const [theme, setTheme] = useState(readTheme);
  function choose() {
    const next = NEXT[theme];
    chooseTheme(next);
    setTheme(next);
  }
  return (
    <button type="button" className={styles.theme} onClick={choose} aria-label={t("theme.label", { theme: t(`theme.${theme}`) })}>
      <svg width="20" height="20" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
        <circle cx="12" cy="12" r="9" fill="none" stroke="currentColor" strokeWidth="2" />
        <path d="M12 3a9 9 0 0 1 0 18z" fill="currentColor" />
      </svg>
      <span>{t(`theme.${theme}`)}</span>
    </button>
  );
}
