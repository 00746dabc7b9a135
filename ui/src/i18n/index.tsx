/** Words, numbers and dates of the window. */
import { useMemo, type ReactNode } from "react";
import { IntlProvider, useIntl, type IntlShape } from "react-intl";
import { useStore } from "../api/store";
import type en from "./en.json";
import { directionOf, spoken } from "./languages";

export type MessageId = keyof typeof en;

export function WordsProvider({ children }: { children: ReactNode }) {
  const { locale, messages } = useStore(spoken);
  return (
    <IntlProvider locale={locale} messages={messages} defaultLocale="en">
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
  /** Words of the engine that are kept with a record; what a source says itself stays as it is. */
  said: (text: string) => string;
  /** Things of one kind, one after the other. */
  list: (things: readonly string[]) => string;
  /** Things of different kinds that are known of one thing; what is not known is left out. */
  facts: (things: readonly (string | null | undefined | false)[]) => string;
  intl: IntlShape;
}

/** The engine puts this behind the source's own words. */
const REPORTED = "Reported, not ordered here";

/** A name in a sentence keeps its own direction. It matters where the sentence runs the other way than most names. */
function isolated(values: Values | undefined): Values | undefined {
  const apart = (value: Values[string]) => (typeof value === "string" ? `\u2068${value}\u2069` : value);
  return values && Object.fromEntries(Object.entries(values).map(([name, value]) => [name, apart(value)]));
}

export function wordsOf(intl: IntlShape): Words {
  const inside = directionOf(intl.locale) === "rtl" ? isolated : (values?: Values) => values;
  const find = (id: string, values?: Values) => (id in intl.messages ? intl.formatMessage({ id }, inside(values)) : undefined);
  const t = (id: MessageId, values?: Values) => intl.formatMessage({ id }, inside(values));
  return {
    intl,
    t,
    find,
    said: (text) => {
      const own = text.endsWith(` (${REPORTED})`) ? text.slice(0, -` (${REPORTED})`.length) : null;
      const behind = own === null ? undefined : find(`said.${REPORTED}`);
      return behind === undefined ? (find(`said.${text}`) ?? text) : `${own ?? ""} (${behind})`;
    },
    list: (things) => intl.formatList(things, { type: "unit", style: "short" }),
    facts: (things) => things.filter(Boolean).join(t("list.comma")),
  };
}

export function useWords(): Words {
  const intl = useIntl();
  return useMemo(() => wordsOf(intl), [intl]);
}

/** Which way lines run. */
export function useDirection(): "ltr" | "rtl" {
  return directionOf(useIntl().locale);
}
