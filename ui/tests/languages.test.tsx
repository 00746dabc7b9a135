/** The catalogues say the same in every language, and the language is the system's or the chosen one. */
import { act, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { createIntl, type IntlShape } from "react-intl";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { rangeSaid, valueSaid } from "../src/fhir/amounts";
import { statusWords } from "../src/fhir/codes";
import { wordsOf, type Words } from "../src/i18n";
import en from "../src/i18n/en.json";
import engine from "../src/i18n/engine.json";
import { AUTO, chooseLanguage, LANGUAGES, localeFor, readLanguage } from "../src/i18n/languages";
import { addPseudoLanguages } from "../dev/pseudo";
import { openApp, words } from "./support";

const ENGLISH: Record<string, string> = { ...engine, ...en };
const OTHERS = Object.keys(LANGUAGES).filter((id) => id !== "en");

type Ast = ReturnType<ReturnType<IntlShape["formatters"]["getMessageFormat"]>["getAst"]>;
const intl = createIntl({ locale: "en" });

/** The names that a message is given, with how each is used: "count plural". */
function argumentsOf(message: Ast): string[] {
  const kinds = ["", "text", "number", "date", "time", "select", "plural"];
  return message.flatMap((part) => {
    const kind = kinds[part.type.valueOf()];
    const inside = "options" in part ? Object.values(part.options).flatMap(({ value }) => argumentsOf(value)) : [];
    return kind && "value" in part ? [`${part.value} ${kind}`, ...inside] : inside;
  });
}

function read(message: string, locale: string): string[] {
  return [...new Set(argumentsOf(intl.formatters.getMessageFormat(message, locale).getAst()))].sort();
}

describe.each(OTHERS)("the catalogue of %s", (id) => {
  let catalogue: Record<string, string>;
  beforeAll(async () => {
    catalogue = (await LANGUAGES[id]!.load()) as Record<string, string>;
  });

  test("has every message of the window and every word of the engine, and no other", () => {
    expect(Object.keys(ENGLISH).filter((key) => !(key in catalogue))).toEqual([]);
    expect(Object.keys(catalogue).filter((key) => !(key in ENGLISH))).toEqual([]);
  });

  test("says something wherever English does", () => {
    expect(Object.keys(ENGLISH).filter((key) => ENGLISH[key] !== "" && !catalogue[key]?.trim() && key !== "list.comma")).toEqual([]);
  });

  test("can be read, and takes what English takes", () => {
    const differing = Object.keys(ENGLISH).filter((key) => read(ENGLISH[key]!, "en").join() !== read(catalogue[key] ?? "", id).join());
    expect(differing).toEqual([]);
  });

  test("has each form that its plurals have", () => {
    const wanted = new Intl.PluralRules(id).resolvedOptions().pluralCategories.filter((category) => category !== "many");
    const lacking = Object.entries(catalogue).filter(([, message]) => {
      const plurals = intl.formatters.getMessageFormat(message, id).getAst().filter((part) => "pluralType" in part);
      return plurals.some((part) => wanted.some((category) => !("options" in part && category in part.options)));
    });
    expect(lacking.map(([key]) => key)).toEqual([]);
  });
});

test("what the window says in its own words of a problem, the engine says too", () => {
  const own = Object.keys(en).filter((key) => key.startsWith("problem.") && key in engine);
  const inOther: Record<string, string> = engine;
  expect(own.filter((key) => ENGLISH[key]?.replaceAll("’", "'") !== inOther[key])).toEqual([]);
});

test.each<[string, string[], string]>([
  [AUTO, ["es-MX", "en-US"], "es-MX"],
  [AUTO, ["fr-CA", "es", "en"], "es"],
  [AUTO, ["fr-CA"], "en"],
  [AUTO, ["C"], "en"],
  ["es", ["en-US"], "es-US"],
  ["es", ["en-GB", "es-AR"], "es-AR"],
  ["es", ["C"], "es"],
  ["en", ["es-MX"], "en-MX"],
])("chosen %s, with a system that speaks %s, it is %s", (choice, system, locale) => {
  expect(localeFor(choice, system)).toBe(locale);
});

test("from right to left the page is turned, and a name in a sentence keeps its own direction", async () => {
  addPseudoLanguages();
  openApp("chart", "/chart");
  await act(() => chooseLanguage("ar-XB"));
  expect(document.documentElement).toHaveAttribute("dir", "rtl");
  const mirrored = wordsOf(createIntl({ locale: "ar-XB", messages: en }));
  expect(mirrored.t("record.range", { range: "4 – 5.6 %" })).toBe("Normal range: \u20684 – 5.6 %\u2069");
  expect(words.t("record.range", { range: "4 – 5.6 %" })).toBe("Normal range: 4 – 5.6 %");
  await act(() => chooseLanguage(AUTO));
  expect(document.documentElement).toHaveAttribute("dir", "ltr");
});

test("of two choices at once the last one counts", async () => {
  await Promise.all([chooseLanguage("es"), chooseLanguage("en")]);
  expect(document.documentElement).toHaveAttribute("lang", "en-US");
  await chooseLanguage(AUTO);
});

describe("in Spanish", () => {
  afterEach(() => act(() => chooseLanguage(AUTO)));
  let spanish: Words;
  beforeAll(async () => {
    const messages = (await LANGUAGES.es!.load()) as Record<string, string>;
    spanish = wordsOf(createIntl({ locale: "es-ES", messages }));
  });

  test("the window is, once it is chosen, and stays so", async () => {
    openApp("chart", "/chart");
    await userEvent.selectOptions(await screen.findByRole("combobox", { name: "Language" }), "Español");
    expect(await screen.findByRole("link", { name: "Expediente" })).toBeVisible();
    expect(document.documentElement).toHaveAttribute("lang", "es-US");
    expect(document.documentElement).toHaveAttribute("dir", "ltr");
    expect(within(await screen.findByTestId("section-labs")).getByText("Resultados de laboratorio")).toBeVisible();
    expect(await screen.findByText(/65 años · Femenino · nacimiento: 14 mar 1961/)).toBeVisible();
    expect(readLanguage()).toBe("es");
  });

  test("a problem of the engine is told, and its technical detail stays as it is", async () => {
    await act(() => chooseLanguage("es"));
    openApp("nokeychain");
    const problem = await screen.findByTestId("problem");
    expect(problem).toHaveTextContent("Esta computadora no tiene un llavero en funcionamiento");
    expect(problem).toHaveTextContent("org.freedesktop.DBus.Error.ServiceUnknown");
  });

  test.each<[string, boolean, string]>([
    ["7.20 mmol/L", true, "7,20 mmol/L"],
    ["< 0.5 mg/L", true, "< 0,5 mg/L"],
    ["12000 /uL", true, "12000 /uL"],
    ["148/84 mmHg", false, "148/84 mmHg"],
    ["Not known", false, "No se sabe"],
    ["High risk", false, "Riesgo alto"],
    ["1.234 by the source's own count", false, "1.234 by the source's own count"],
  ])("a value that is kept as “%s” (measured: %s) reads “%s”, and in English as it is kept", (value, measured, said) => {
    expect(valueSaid(spanish, { value, measured })).toBe(said);
    expect(valueSaid(words, { value, measured })).toBe(value);
  });

  test.each<[string, string]>([
    ["3.5 to 5.1 mmol/L", "3,5 a 5,1 mmol/L"],
    ["60 mL/min or more", "60 mL/min o más"],
    ["up to 5.1 mmol/L", "hasta 5,1 mmol/L"],
    ["Negative to date.", "Negative to date."],
  ])("a range that is kept as “%s” reads “%s”, and in English as it is kept", (kept, said) => {
    expect(rangeSaid(spanish, kept)).toBe(said);
    expect(rangeSaid(words, kept)).toBe(kept);
  });

  test("a status, a row without a name and what stands behind a source's words are said", () => {
    expect(statusWords(spanish, "Entered in error")).toBe("Ingresado por error");
    expect(statusWords(spanish, "Something of its own")).toBe("Something of its own");
    expect(spanish.said("Health problem")).toBe("Problema de salud");
    expect(spanish.said("Take one a day (Reported, not ordered here)")).toBe("Take one a day (Informado, no recetado aquí)");
    expect(spanish.said("Sugar in blood")).toBe("Sugar in blood");
  });
});
