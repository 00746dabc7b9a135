/**
 * Languages that nobody speaks, for looking at the screens: `en-XA` is accented and longer, so that words which are
 * not in the catalogue and places that are too small stand out; `ar-XB` runs from right to left.
 */
import { createIntl, type IntlShape } from "react-intl";
import en from "../src/i18n/en.json";
import engine from "../src/i18n/engine.json";
import { LANGUAGES } from "../src/i18n/languages";

type Message = Exclude<IntlShape["messages"][string], string>;

/** Of @formatjs/icu-messageformat-parser's TYPE. */
const LITERAL = 0;

const PLAIN = "aeiouyncsAEIOUYNCS";
const ACCENTED = "áéíóúýñçšÁÉÍÓÚÝÑÇŠ";
const accent = (text: string) => text.replace(/[aeiouyncs]/gi, (letter) => ACCENTED.charAt(PLAIN.indexOf(letter)));
/** A third longer, as other languages are. */
const lengthen = (text: string) => (text.trim().length < 3 ? accent(text) : `${accent(text)}${" ~~~~".repeat(Math.ceil(text.length / 15))}`);
/** Letters of English that run the other way. */
const mirror = (text: string) => (text.trim() === "" ? text : `\u202e${text}\u202c`);

function changed(message: Message, change: (text: string) => string): Message {
  return message.map((part) => {
    if (part.type.valueOf() === LITERAL && "value" in part) return { ...part, value: change(part.value) };
    if (!("options" in part)) return part;
    const options = Object.entries(part.options).map(([name, option]) => [name, { ...option, value: changed(option.value, change) }]);
    return { ...part, options: Object.fromEntries(options) as typeof part.options };
  });
}

function pseudo(change: (text: string) => string): Promise<Record<string, Message>> {
  const intl = createIntl({ locale: "en" });
  const messages = Object.entries({ ...engine, ...en }).map(([id, text]) => [id, changed(intl.formatters.getMessageFormat(text, "en").getAst(), change)] as const);
  return Promise.resolve(Object.fromEntries(messages));
}

export function addPseudoLanguages(): void {
  LANGUAGES["en-XA"] = { name: "Ĺöñĝêŕ", dir: "ltr", load: () => pseudo(lengthen) };
  LANGUAGES["ar-XB"] = { name: "derorriM", dir: "rtl", load: () => pseudo(mirror) };
}
