/** The languages that the window has, which one is spoken, and the choice of it. How to add one: docs/languages.md. */
import type { IntlShape } from "react-intl";
import { createStore } from "../api/store";
import en from "./en.json";

type Messages = IntlShape["messages"];

interface Language {
  /** What it is called by those who speak it. */
  name: string;
  dir: "ltr" | "rtl";
  /** Its catalogue: only that of the language that is spoken is read. */
  load: () => Promise<Messages>;
}

export const LANGUAGES: Record<string, Language> = {
  en: { name: "English", dir: "ltr", load: () => Promise.resolve(en) },
  es: { name: "Español", dir: "ltr", load: () => import("./es.json").then((module) => module.default) },
};

const KEY = "satchel:language";
/** As the system has it. */
export const AUTO = "auto";

/** What is spoken; what has no words yet is said in English. */
export const spoken = createStore<{ locale: string; messages: Messages }>({ locale: "en", messages: en });

/** The language of a locale among those that the window has. */
function languageOf(locale: string): string | undefined {
  return [locale, locale.split("-")[0] ?? ""].find((id) => Object.hasOwn(LANGUAGES, id));
}

export function directionOf(locale: string): "ltr" | "rtl" {
  return LANGUAGES[languageOf(locale) ?? ""]?.dir ?? "ltr";
}

/** A language as it is spoken where the system says that this computer is. */
function inRegion(language: string, system: string | undefined): string {
  try {
    const { region } = new Intl.Locale(system ?? "").maximize();
    return region && !language.includes("-") ? `${language}-${region}` : language;
  } catch {
    return language;
  }
}

/** The language is the system's or the chosen one; how dates and numbers look is the region's. */
export function localeFor(choice: string, system: readonly string[]): string {
  if (choice === AUTO) return system.find((locale) => languageOf(locale)) ?? "en";
  return system.find((locale) => languageOf(locale) === choice) ?? inRegion(choice, system[0]);
}

export function readLanguage(): string {
  try {
    const kept = localStorage.getItem(KEY) ?? AUTO;
    return Object.hasOwn(LANGUAGES, kept) ? kept : AUTO;
  } catch {
    return AUTO;
  }
}

/** Of several choices at once the last one counts, whichever catalogue is read first. */
let wanted = "";

/** From now on the window speaks this language. */
async function speak(choice: string): Promise<void> {
  const locale = localeFor(choice, navigator.languages);
  wanted = locale;
  const messages = await LANGUAGES[languageOf(locale) ?? "en"]?.load();
  if (!messages || wanted !== locale) return;
  document.documentElement.lang = locale;
  document.documentElement.dir = directionOf(locale);
  spoken.set({ locale, messages });
}

/** What was chosen on this computer, or what the system speaks. */
export function speakAsChosen(): Promise<void> {
  return speak(readLanguage());
}

export function chooseLanguage(choice: string): Promise<void> {
  try {
    if (choice === AUTO) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, choice);
  } catch {
    // Without storage the choice lasts until the window closes.
  }
  return speak(choice);
}
