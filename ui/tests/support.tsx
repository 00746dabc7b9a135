/** What tests of the window share: words in American English, and the whole app on a made-up engine. */
import { render } from "@testing-library/react";
import { createIntl } from "react-intl";
import type { ReactNode } from "react";
import { makeEngine, type FakeEngine, type Scene } from "../dev/engine";
import { setTransport } from "../src/api/client";
import { loginFailure } from "../src/api/events";
import { App, makeQueryClient } from "../src/app/App";
import { makeRouter } from "../src/app/router";
import { wordsOf, WordsProvider } from "../src/i18n";
import en from "../src/i18n/en.json";

export const words = wordsOf(createIntl({ locale: "en-US", messages: en }));

/** Renders in words; gives what a person can read. */
export function read(shown: ReactNode): string {
  return render(<WordsProvider>{shown}</WordsProvider>).container.textContent;
}

export function openApp(scene: Scene, at = "/"): FakeEngine {
  const engine = makeEngine(scene);
  setTransport(engine);
  loginFailure.set(null);
  render(<App client={makeQueryClient()} router={makeRouter(at)} />);
  return engine;
}

/** What must never be read on a screen: JavaScript's own words, and dates that nobody gave. */
export const NEVER = /\bundefined\b|\[object |\bNaN\b|Invalid Date|\bnull\b|Jan 1, 1970/;
