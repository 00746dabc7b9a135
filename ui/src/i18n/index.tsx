/** Words, numbers and dates of the window. Another language is one more catalogue in `catalogues`. */
import { useMemo, type ReactNode } from "react";
import { IntlProvider, useIntl, type IntlShape } from "react-intl";
import en from "./en.json";

export type MessageId = keyof typeof en;

const catalogues: Record<string, Record<string, string>> = { en };

/** The system's language when there is a catalogue for it, with its region: it decides how dates look. */
function chooseLocale(wanted: readonly string[]): { locale: string; language: string } {
  for (const locale of wanted) {
    const language = locale.split("-")[0] ?? "";
    if (language in catalogues) return { locale, language };
  }
  return { locale: "en", language: "en" };
}

export function WordsProvider({ children, languages = navigator.languages }: { children: ReactNode; languages?: readonly string[] }) {
  const { locale, language } = chooseLocale(languages);
  return (
    <IntlProvider locale={locale} messages={catalogues[language]} defaultLocale="en">
      {children}
    </IntlProvider>
  );
}

type Values = Record<string, string | number | Date>;

export interface Words {
  /** A message of the catalogue. */
  t: (id: MessageId, values?: Values) => string;
  /** A message when the catalogue has it. */
  find: (id: string, values?: Values) => string | undefined;
  intl: IntlShape;
}

export function wordsOf(intl: IntlShape): Words {
  return {
    intl,
    t: (id, values) => intl.formatMessage({ id }, values),
    find: (id, values) => (id in intl.messages ? intl.formatMessage({ id }, values) : undefined),
  };
}

export function useWords(): Words {
  const intl = useIntl();
  return useMemo(() => wordsOf(intl), [intl]);
}
