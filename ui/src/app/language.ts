/**
 * A system without a language calls it "C", which no program knows how to write numbers in: what is asked for
 * then is English. (uPlot asks for the system's language when it is loaded.)
 */
export function ensureLanguage(): void {
  try {
    Intl.getCanonicalLocales(navigator.language);
  } catch {
    Object.defineProperty(navigator, "language", { value: "en", configurable: true });
  }
}
