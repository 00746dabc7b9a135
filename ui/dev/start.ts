/** `npm run dev` in a browser: ?scene=offline&theme=dark&lang=es&at=/chart shows that screen with fixture data. */
import { setTransport } from "../src/api/client";
import { AUTO, chooseLanguage } from "../src/i18n/languages";
import { DENIED, makeEngine, type Scene } from "./engine";
import { addPseudoLanguages } from "./pseudo";

export function startFixtures(): string {
  const wanted = new URLSearchParams(location.search);
  const scene = (wanted.get("scene") ?? "chart") as Scene;
  const theme = wanted.get("theme");
  if (theme) document.documentElement.dataset.theme = theme;
  addPseudoLanguages();
  void chooseLanguage(wanted.get("lang") ?? AUTO);
  const engine = makeEngine(scene);
  setTransport(engine);
  if (scene === "syncing") {
    const progress = { connectionId: "c1", step: "Results, vital signs and observations", stepsDone: 9, stepsTotal: 24, records: 1280, fraction: 0.38 };
    setTimeout(() => engine.emit({ type: "syncProgress", ...progress }), 100);
  }
  if (scene === "denied") setTimeout(() => engine.emit({ type: "loginFailed", connectionId: "c9", problem: DENIED }), 100);
  return wanted.get("at") ?? "/";
}
