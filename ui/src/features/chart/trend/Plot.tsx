import { useEffect, useRef } from "react";
import type { MeasuredView } from "../../../api/bindings";
import "uplot/dist/uPlot.min.css";
import { amountSaid } from "../../../fhir/amounts";
import { useWords } from "../../../i18n";
import { extremesOf, type Panel } from "./series";
import styles from "./trend.module.css";

/** One plot of one unit; what it shows is said in words too, and the table has every number. */
export function Plot({ panel, title, onFailed }: { panel: Panel; title: string; onFailed: () => void }) {
  const words = useWords();
  const { t, intl } = words;
  const box = useRef<HTMLDivElement>(null);

  useEffect(() => {
    if (!box.current) return;
    const into = box.current;
    let over = false;
    let end: (() => void) | undefined;
    // Loaded when the first plot is wanted: the window opens without it.
    import("./draw")
      .then(({ keepDrawn }) => {
        if (!over) end = keepDrawn(panel, into, intl.locale);
      })
      .catch(onFailed);
    return () => {
      over = true;
      end?.();
    };
  }, [panel, onFailed, intl.locale]);

  const extremes = extremesOf(panel);
  const inWords = ({ text }: MeasuredView) => amountSaid(words, text);
  const count = panel.lines.reduce((sum, { points }) => sum + points.length, 0);
  const said = extremes ? t("trend.said", { title, count, least: inWords(extremes.least), most: inWords(extremes.most), last: inWords(extremes.last) }) : title;
  const parts = panel.lines.flatMap(({ part }) => (part ? [part] : []));
  return (
    <figure className={styles.figure}>
      <figcaption className={styles.caption}>
        {panel.unit ? <span className={styles.unit}>{panel.unit}</span> : null}
        {parts.length > 1 ? <span>{words.list(parts.map((part, index) => t(index === 0 ? "trend.solid" : "trend.dashed", { part })))}</span> : null}
      </figcaption>
      <div ref={box} className={styles.plot} role="img" aria-label={said} data-testid="trend-plot" />
    </figure>
  );
}
