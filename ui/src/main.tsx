import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App, makeQueryClient } from "./app/App";
import { makeRouter } from "./app/router";
import { ensureLanguage } from "./app/language";
import { stayHere } from "./app/stay";
import { applyTheme, readTheme } from "./app/theme";
import { speakAsChosen } from "./i18n/languages";
import "./styles/tokens.css";
import "./styles/base.css";

applyTheme(readTheme());
ensureLanguage();
stayHere();

async function open() {
  let at: string | undefined;
  // Only under `npm run dev` in an ordinary browser; gone from what is built.
  if (import.meta.env.DEV && !("__TAURI_INTERNALS__" in window)) {
    const dev = await import("../dev/start");
    at = dev.startFixtures();
  }
  // What cannot be read is said in English.
  await speakAsChosen().catch(() => undefined);
  const root = document.getElementById("root");
  if (!root) return;
  createRoot(root).render(
    <StrictMode>
      <App client={makeQueryClient()} router={makeRouter(at)} />
    </StrictMode>,
  );
}

void open();
