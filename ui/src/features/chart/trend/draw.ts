/** How a plot is drawn: bands of the reference range, and points whose shape says what their colour says. */
import uPlot from "uplot";
import type { MeasuredView } from "../../../api/bindings";
import { columnsOf, type Panel } from "./series";

const HEIGHT = 190;
const LEAST_WIDTH = 160;
const SIZE = 4.5;
/** Two lines in one plot (systolic, diastolic) are told apart by their dashes too. */
const DASHES = [[], [6, 4], [2, 3], [8, 3, 2, 3]];

interface Look {
  line: string;
  band: string;
  grid: string;
  text: string;
  out: string;
  font: string;
}

/** The colours of the theme that is shown now. */
function lookOf(element: Element): Look {
  const style = getComputedStyle(element);
  const get = (name: string) => style.getPropertyValue(name).trim();
  return { line: get("--primary"), band: get("--good-soft"), grid: get("--line"), text: get("--text-2"), out: get("--warn"), font: `12px ${style.fontFamily}` };
}

/** A circle in range, a triangle upwards or downwards out of it, a square where it is abnormal otherwise. */
function shape(context: CanvasRenderingContext2D, x: number, y: number, size: number, flag: MeasuredView["flag"]) {
  context.beginPath();
  const up = flag === "high" || flag === "criticalHigh";
  const down = flag === "low" || flag === "criticalLow";
  if (up || down) {
    const tip = up ? -size * 1.3 : size * 1.3;
    context.moveTo(x, y + tip);
    context.lineTo(x + size * 1.2, y - tip * 0.7);
    context.lineTo(x - size * 1.2, y - tip * 0.7);
    context.closePath();
  } else if (flag === "abnormal" || flag === "criticalAbnormal") {
    context.rect(x - size, y - size, size * 2, size * 2);
  } else {
    context.arc(x, y, size, 0, Math.PI * 2);
  }
}

/** A point whose true value is on one side of the number is hollow, with a line to that side. */
function drawPoint(plot: uPlot, look: Look, at: number, measured: MeasuredView) {
  const { ctx: context } = plot;
  const ratio = devicePixelRatio || 1;
  const x = plot.valToPos(at / 1000, "x", true);
  const y = plot.valToPos(measured.number, "y", true);
  const size = SIZE * ratio;
  const flagged = measured.flag !== null && measured.flag !== "normal";
  const colour = flagged ? look.out : look.line;
  shape(context, x, y, size, measured.flag);
  context.fillStyle = measured.comparator ? "transparent" : colour;
  context.strokeStyle = colour;
  context.lineWidth = 1.5 * ratio;
  context.fill();
  context.stroke();
  if (!measured.comparator) return;
  const side = measured.comparator.startsWith("<") ? 1 : -1;
  context.beginPath();
  context.moveTo(x, y + side * size);
  context.lineTo(x, y + side * size * 3.2);
  context.stroke();
}

const DAY = 86_400;

/** Times as the reader writes them, as exact as the distance between two marks. */
function datesOf(locale: string, distance: number): Intl.DateTimeFormat {
  if (distance >= 360 * DAY) return new Intl.DateTimeFormat(locale, { year: "numeric" });
  if (distance >= 28 * DAY) return new Intl.DateTimeFormat(locale, { month: "short", year: "numeric" });
  return new Intl.DateTimeFormat(locale, distance >= DAY ? { day: "numeric", month: "short" } : { hour: "numeric", minute: "2-digit" });
}

function optionsOf(panel: Panel, look: Look, locale: string, width: number, height: number): uPlot.Options {
  const axis = { stroke: look.text, grid: { stroke: look.grid, width: 1 }, ticks: { stroke: look.grid, width: 1 }, font: look.font };
  return {
    width,
    height,
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: true }, y: { range: (_, low, high) => uPlot.rangeNum(low, high, 0.12, true) } },
    axes: [
      { ...axis, space: 80, values: (_, times, __, ___, distance) => times.map((time) => datesOf(locale, distance).format(time * 1000)) },
      { ...axis, size: 52, values: (_, numbers) => numbers.map((number) => new Intl.NumberFormat(locale).format(number)) },
    ],
    series: [
      {},
      ...panel.lines.flatMap((_, index): uPlot.Series[] => [
        { stroke: "transparent", width: 0, points: { show: false }, spanGaps: false },
        { stroke: "transparent", width: 0, points: { show: false }, spanGaps: false },
        { stroke: look.line, width: 1.5, dash: DASHES[index % DASHES.length], points: { show: false }, spanGaps: true },
      ]),
    ],
    bands: panel.lines.map((_, index) => ({ series: [index * 3 + 2, index * 3 + 1], fill: look.band })),
    hooks: { draw: [(plot) => panel.lines.forEach(({ points }) => points.forEach(({ at, measured }) => drawPoint(plot, look, at, measured)))] },
  };
}

/** Draws into a box, and anew when its width or the theme changes; the returned function ends it. */
export function keepDrawn(panel: Panel, box: HTMLElement, locale: string): () => void {
  const width = () => Math.max(box.clientWidth, LEAST_WIDTH);
  const draw = () => new uPlot(optionsOf(panel, lookOf(box), locale, width(), HEIGHT), columnsOf(panel) as uPlot.AlignedData, box);
  let plot = draw();
  const redraw = () => {
    plot.destroy();
    plot = draw();
  };
  const sized = new ResizeObserver(() => {
    if (Math.abs(width() - plot.width) > 1) redraw();
  });
  sized.observe(box);
  const themed = new MutationObserver(redraw);
  themed.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", redraw);
  return () => {
    dark.removeEventListener("change", redraw);
    themed.disconnect();
    sized.disconnect();
    plot.destroy();
  };
}
