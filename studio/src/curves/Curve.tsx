import { useEffect, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { onThemeChange } from "../shell/theme";
import { formatNumber } from "../text/format";
import { listColours } from "./colours";
import type { Axis } from "./detail";
import { alignSeries, describeSeries, findNearest, findNextPlace, findReadable, keepPositive, movePart, moveTo, type Range, type Series } from "./series";
import "./curves.css";

interface Props {
  title: string;
  series: Series[];
  /** What is taken from the steps or the times of each series. */
  origins: number[];
  over: Axis;
  isLogarithmic: boolean;
  height?: number;
  colours?: number[];
  /** The part of the axis that is shown; null for all. */
  range: Range | null;
  onRange: (range: Range | null) => void;
}

/** The width of the axis of values: 58 pixels, or more where a label needs it, at 7 pixels a letter of its font. */
const fitLabels = (_: uPlot, labels: string[] | null): number => Math.max(58, ...(labels ?? []).map((label) => 16 + 7 * label.length));

/** The values of one metric as curves over steps or time.
 *
 * New values go into the plot that is there, so that a curve that was hidden stays so; during a drag they wait for its end. */
export default function Curve({ title, series, origins, over, isLogarithmic, height = 200, colours: places, range, onRange }: Props) {
  const own = useRef<HTMLDivElement>(null);
  const drawn = useRef<uPlot>(undefined);
  const applied = useRef<Range | null>(null);
  const isDragging = useRef(false);
  const tell = useRef(onRange);
  tell.current = onRange;
  const [theme, setTheme] = useState(0);
  useEffect(() => onThemeChange(() => setTheme((before) => before + 1)), []);
  const data = useMemo(() => {
    const listPlaces = (one: Series, origin: number) => (over === "step" ? one.steps : one.times).map((place) => place - origin);
    return alignSeries(series.map((one, k) => ({ places: listPlaces(one, origins[k]), values: isLogarithmic ? keepPositive(one.values) : one.values })));
  }, [series, origins, over, isLogarithmic]);
  const latest = useRef({ data, range, places });
  latest.current = { data, range, places };
  const labels = JSON.stringify(series.map(({ label }) => label));

  useLayoutEffect(() => {
    const element = own.current!;
    const first = latest.current;
    const style = getComputedStyle(element);
    const axis = { stroke: style.getPropertyValue("--muted"), grid: { stroke: style.getPropertyValue("--line"), width: 1 }, ticks: { show: false }, font: "12px Inter Variable, sans-serif" };
    const colours = listColours();
    const show = (value: number | null | undefined) => (typeof value === "number" ? formatNumber(value) : "–");
    const options: uPlot.Options = {
      width: element.clientWidth,
      height,
      legend: { live: true, show: true },
      cursor: { points: { size: 7 }, dataIdx: (plot, k, index) => (k ? findNearest(plot.data[k] as (number | null)[], index) : index) },
      scales: { x: { time: false, ...(first.range ? { min: first.range[0], max: first.range[1] } : {}) }, y: isLogarithmic ? { distr: 3 } : {} },
      axes: [{ ...axis, size: 32, values: (_, ticks) => ticks.map((tick) => (over === "step" ? formatNumber(tick) : `${formatNumber(tick)} s`)) }, { ...axis, size: fitLabels, values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : formatNumber(tick))) }],
      series: [
        { label: over === "step" ? "step" : "seconds", value: (_, value) => show(value) },
        ...(JSON.parse(labels) as string[]).map((label, k): uPlot.Series => ({
          label, stroke: colours[(first.places?.[k] ?? k) % colours.length], width: 1.75, points: { show: (plot) => plot.data[0].length < 40, size: 5 }, value: (_, value) => show(value),
        })),
      ],
      hooks: {
        setSeries: [(plot) => listLegendButtons(plot).forEach((button, k) => button.setAttribute("aria-pressed", String(plot.series[k + 1].show)))],
        // A drag over a part chooses it, and a double click all.
        setScale: [(plot, scale) => {
          if (scale !== "x") return;
          const { min, max } = plot.scales.x;
          const isAll = min == null || max == null || (min <= plot.data[0][0] && max >= plot.data[0].at(-1)!);
          applied.current = isAll ? null : [min, max];
          if (String(applied.current) !== String(latest.current.range)) tell.current(applied.current);
        }],
      },
    };
    const plot = new uPlot(options, first.data as uPlot.AlignedData, element);
    drawn.current = plot;
    applied.current = first.range;
    plot.ctx.canvas.setAttribute("role", "img");
    makeLegendButtons(plot);
    const begin = () => (isDragging.current = true);
    // The plot sets the scale after its own listener, which is called before this one: the values come after both.
    const end = () => {
      if (!isDragging.current) return;
      isDragging.current = false;
      setTimeout(() => drawn.current === plot && replaceData(plot, latest.current.data, applied.current));
    };
    plot.over.addEventListener("mousedown", begin);
    addEventListener("mouseup", end);
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      isDragging.current = false;
      removeEventListener("mouseup", end);
      observer.disconnect();
      plot.destroy();
    };
  }, [labels, over, isLogarithmic, height, theme, String(places)]);
  const words = useMemo(() => `${title}: ${series.map(describeSeries).join("; ")}`, [title, series]);
  useLayoutEffect(() => drawn.current!.ctx.canvas.setAttribute("aria-label", words)); // of a plot that was made again, too
  useLayoutEffect(() => {
    if (!isDragging.current) replaceData(drawn.current!, data, applied.current);
  }, [data]);
  useEffect(() => {
    const plot = drawn.current!;
    if (String(range) === String(applied.current)) return;
    if (range) plot.setScale("x", { min: range[0], max: range[1] });
    else plot.setData(plot.data);
  }, [range]);

  /** The place of which the keyboard reads the values; null while it reads none. Where the part that is shown moves away
   * from it, or has other points, it is the nearest that is there. */
  const [wish, setCursor] = useState<number | null>(null);
  const cursor = useMemo(() => (wish === null ? null : findReadable(data[0], listShown(drawn.current!, data), wish, range)), [wish, data, range]);
  useEffect(() => setCursor((before) => cursor ?? before), [cursor]); // what was announced stays when more points come
  const told = useMemo(() => (cursor === null ? "" : describePlace(over, cursor, data, series)), [cursor, over, data, series]);
  useEffect(() => {
    const plot = drawn.current!;
    // After the part of the axis was set, which the plot does in a microtask of its own.
    if (cursor !== null) queueMicrotask(() => drawn.current === plot && pointAt(plot, cursor));
  }, [cursor, range, data]);
  function stopReading() {
    if (wish === null) return;
    setCursor(null);
    drawn.current!.setCursor({ left: -10, top: -10 });
  }
  function moveCursor(from: number | null, by: 1 | -1): void {
    const places = data[0];
    const next = findNextPlace(places, listShown(drawn.current!, data), from, by, range);
    if (next === undefined) return;
    setCursor(places[next]);
    if (range && (places[next] < range[0] || places[next] > range[1])) onRange(moveTo(range, places[next]));
  }
  function press(event: KeyboardEvent) {
    const places = data[0];
    const move = MOVES[event.key];
    if (move && !event.shiftKey && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      return moveCursor(move.from ?? cursor, move.by);
    }
    const next = places.length < 2 || event.ctrlKey || event.metaKey || event.altKey ? undefined : movePart([places[0], places.at(-1)!], range, event.key, cursor);
    if (next === undefined) return;
    event.preventDefault();
    setCursor(cursor); // the value that is read stays where it is, and goes along with the part only where that leaves it
    onRange(next);
  }
  return (
    <>
      <div ref={own} className="curve" role="group" tabIndex={0} aria-label={`Curves of ${title}; the arrows read the values, Home and End the first and the last one, + and − show a smaller or a larger part, Shift and the arrows move it, 0 shows all`} onKeyDown={press} onBlur={stopReading} />
      <p className="visually-hidden" aria-live="polite">{told}</p>
    </>
  );
}

/** The keys that read a value: the place to begin at, unless that is the one that is read, and the direction. */
const MOVES: Record<string, { from?: number; by: 1 | -1 } | undefined> = {
  ArrowLeft: { by: -1 }, ArrowRight: { by: 1 }, Home: { from: -Infinity, by: 1 }, End: { from: Infinity, by: -1 },
};

/** The columns of the curves that are not hidden. */
const listShown = (plot: uPlot, [, ...columns]: ReturnType<typeof alignSeries>) => columns.filter((_, k) => plot.series[k + 1]?.show);

/** The values at a place of the axis, as they are announced. */
function describePlace(over: Axis, place: number, [places, ...columns]: ReturnType<typeof alignSeries>, series: Series[]): string {
  const index = places.indexOf(place);
  const values = series.flatMap(({ label }, k) => (typeof columns[k]?.[index] === "number" ? [`${label} ${formatNumber(columns[k][index])}`] : []));
  return `${over === "step" ? `step ${formatNumber(place)}` : `${formatNumber(place)} s`}: ${values.join(", ")}`;
}

/** Put the plot's cursor on the values at a place. */
function pointAt(plot: uPlot, place: number): void {
  const index = (plot.data[0] as number[]).indexOf(place);
  if (index < 0) return;
  const value = plot.data.slice(1).map((column, k) => (plot.series[k + 1].show ? column[index] : null)).find((one) => typeof one === "number");
  plot.setCursor({ left: plot.valToPos(place, "x"), top: plot.valToPos(value ?? 0, "y") });
  plot.setLegend({ idx: index });
}

const listLegendButtons = (plot: uPlot): HTMLElement[] => [...plot.root.querySelectorAll<HTMLElement>(".u-legend .u-series .u-label")].slice(1);

/** Have the curves hidden and shown from the legend by keyboard as by a click; with Ctrl all others. */
function makeLegendButtons(plot: uPlot): void {
  for (const button of listLegendButtons(plot)) {
    button.setAttribute("role", "button");
    button.setAttribute("aria-pressed", "true");
    button.tabIndex = 0;
    button.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      button.dispatchEvent(new MouseEvent("click", { bubbles: true, ctrlKey: event.ctrlKey, metaKey: event.metaKey }));
    });
  }
}

/** Show other values in a plot, in the part of the axis that it shows. */
function replaceData(plot: uPlot, data: ReturnType<typeof alignSeries>, range: Range | null): void {
  if (plot.data === (data as uPlot.AlignedData)) return;
  plot.setData(data as uPlot.AlignedData, range === null);
  if (range) plot.setScale("x", { min: range[0], max: range[1] });
}
