import { useEffect, useLayoutEffect, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { onThemeChange } from "../shell/theme";
import { formatNumber } from "../text/format";
import { listColours } from "./colours";
import type { Axis } from "./detail";
import { alignSeries, findNearest, type Range, type Series } from "./series";
import "./curves.css";

interface Props {
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

/** The values of one metric as curves over steps or time. */
export default function Curve({ series, origins, over, isLogarithmic, height = 200, colours: places, range, onRange }: Props) {
  const own = useRef<HTMLDivElement>(null);
  const drawn = useRef<uPlot>(undefined);
  const applied = useRef<Range | null>(null);
  const shown = useRef(range);
  shown.current = range;
  const tell = useRef(onRange);
  tell.current = onRange;
  const [theme, setTheme] = useState(0);
  useEffect(() => onThemeChange(() => setTheme((before) => before + 1)), []);
  useLayoutEffect(() => {
    const element = own.current!;
    const style = getComputedStyle(element);
    const axis = { stroke: style.getPropertyValue("--muted"), grid: { stroke: style.getPropertyValue("--line"), width: 1 }, ticks: { show: false }, font: "12px Inter Variable, sans-serif" };
    const data = alignSeries(series.map((one, k) => ({ places: (over === "step" ? one.steps : one.times).map((place) => place - origins[k]), values: one.values })));
    const isShort = data[0].length < 40;
    const colours = listColours();
    const show = (value: number | null | undefined) => (typeof value === "number" ? formatNumber(value) : "–");
    const options: uPlot.Options = {
      width: element.clientWidth,
      height,
      legend: { live: true, show: true },
      cursor: { points: { size: 7 }, dataIdx: (plot, k, index) => (k ? findNearest(plot.data[k] as (number | null)[], index) : index) },
      scales: { x: { time: false, ...(shown.current ? { min: shown.current[0], max: shown.current[1] } : {}) }, y: isLogarithmic ? { distr: 3 } : {} },
      axes: [{ ...axis, size: 32, values: (_, ticks) => ticks.map((tick) => (over === "step" ? formatNumber(tick) : `${formatNumber(tick)} s`)) }, { ...axis, size: 58, values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : formatNumber(tick))) }],
      series: [
        { label: over === "step" ? "step" : "seconds", value: (_, value) => show(value) },
        ...series.map((one, k): uPlot.Series => ({
          label: one.label, stroke: colours[(places?.[k] ?? k) % colours.length], width: 1.75, points: { show: isShort, size: 5 }, value: (_, value) => show(value),
        })),
      ],
      hooks: {
        // A drag over a part chooses it, and a double click all.
        setScale: [(plot, scale) => {
          if (scale !== "x") return;
          const { min, max } = plot.scales.x;
          const isAll = min === undefined || max === undefined || (min <= data[0][0] && max >= data[0].at(-1)!);
          applied.current = isAll ? null : [min, max];
          if (String(applied.current) !== String(shown.current)) tell.current(applied.current);
        }],
      },
    };
    const plot = new uPlot(options, data as uPlot.AlignedData, element);
    drawn.current = plot;
    applied.current = shown.current;
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [series, origins, over, isLogarithmic, height, theme, places]);
  useEffect(() => {
    const plot = drawn.current!;
    if (String(range) === String(applied.current)) return;
    if (range) plot.setScale("x", { min: range[0], max: range[1] });
    else plot.setData(plot.data);
  }, [range]);
  return <div ref={own} className="curve" />;
}
