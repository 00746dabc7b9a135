import { Link, Outlet, useLocation, useNavigate, useRouter } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { Icon, type IconName } from "../components/Icon";
import { LaunchDialog } from "../features/connect/LaunchDialog";
import { useWords, type MessageId } from "../i18n";
import { useLockNow } from "./useLockNow";
import { usePresence } from "./presence";
import { useShortcuts } from "./useShortcuts";
import { LanguageSwitch } from "./LanguageSwitch";
import { ThemeSwitch } from "./ThemeSwitch";
import styles from "./Shell.module.css";

const PLACES: { to: "/chart" | "/search" | "/connections" | "/connect"; icon: IconName; words: MessageId; id: string }[] = [
  { to: "/chart", icon: "chart", words: "nav.chart", id: "nav-chart" },
  { to: "/search", icon: "search", words: "nav.search", id: "nav-search" },
  { to: "/connections", icon: "connections", words: "nav.connections", id: "nav-connections" },
  { to: "/connect", icon: "add", words: "nav.connect", id: "nav-connect" },
];

/** The frame around every screen: where one can go, and where one is. */
export function Shell() {
  const { t } = useWords();
  const main = useRef<HTMLElement>(null);
  const navigate = useNavigate();
  const router = useRouter();
  const { pathname } = useLocation();
  const shown = useRef(pathname);

  const lock = useLockNow(() => void navigate({ to: "/privacy" }));

  useShortcuts({
    onSearch: () => void navigate({ to: "/search", search: (at) => ({ words: at.words, focus: Date.now() }) }),
    onBack: () => router.history.back(),
    onLock: lock,
  });
  usePresence();

  // A new screen is where reading goes on, for keyboards and screen readers too.
  useEffect(() => {
    if (shown.current === pathname) return;
    shown.current = pathname;
    if (!main.current?.contains(document.activeElement)) main.current?.focus({ preventScroll: true });
  }, [pathname]);

  return (
    <div className={styles.shell}>
      <nav className={styles.nav} aria-label={t("nav.label")}>
        <p className={styles.brand} aria-hidden="true">
          <span className={styles.mark}>S</span>
        </p>
        <ul className={styles.places}>
          {PLACES.map(({ to, icon, words, id }) => (
            <li key={to}>
              <Link to={to} className={styles.place} data-testid={id} aria-current={pathname === to ? "page" : undefined}>
                <Icon name={icon} size={22} />
                <span>{t(words)}</span>
              </Link>
            </li>
          ))}
        </ul>
        <Link to="/privacy" className={`${styles.place ?? ""} ${styles.aside ?? ""}`} data-testid="nav-privacy" aria-current={pathname === "/privacy" ? "page" : undefined}>
          <Icon name="privacy" size={20} />
          <span>{t("privacy.nav")}</span>
        </Link>
        <button type="button" className={`${styles.place ?? ""} ${styles.lock ?? ""}`} data-testid="lock-now" aria-keyshortcuts="Control+L Meta+L" title={t("lock.nowKeys")} onClick={lock}>
          <Icon name="lock" size={20} />
          <span>{t("lock.now")}</span>
        </button>
        <Link to="/trace" className={`${styles.place ?? ""} ${styles.aside ?? ""}`} data-testid="nav-trace" aria-current={pathname === "/trace" ? "page" : undefined}>
          <Icon name="trace" size={20} />
          <span>{t("nav.testers")}</span>
        </Link>
        <LanguageSwitch />
        <ThemeSwitch />
      </nav>
      <main ref={main} className={styles.main} tabIndex={-1}>
        <LaunchDialog onStarted={() => void navigate({ to: "/connect" })} />
        <Outlet />
      </main>
    </div>
  );
}
