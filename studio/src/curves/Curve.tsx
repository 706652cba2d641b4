import { useEffect, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { onThemeChange } from "../shell/theme";
import { formatNumber } from "../text/format";
import { listColours } from "./colours";
import { alignSeries, smooth, type Series } from "./series";
import "./curves.css";

interface Props {
  series: Series[];
  over: "step" | "time";
  smoothing: number;
  isLogarithmic: boolean;
  height?: number;
  /** The place of each series' colour; by default its own place. */
  colours?: number[];
  /** True if the time of each series begins at its own first value, as for jobs that ran on different days. */
  isEachFromZero?: boolean;
}

/** The values of one metric as curves over steps or time. */
export default function Curve({ series, over, smoothing, isLogarithmic, height = 200, colours: places, isEachFromZero = false }: Props) {
  const own = useRef<HTMLDivElement>(null);
  const [theme, setTheme] = useState(0);
  useEffect(() => onThemeChange(() => setTheme((before) => before + 1)), []);
  useEffect(() => {
    const element = own.current!;
    const style = getComputedStyle(element);
    const axis = { stroke: style.getPropertyValue("--muted"), grid: { stroke: style.getPropertyValue("--line"), width: 1 }, ticks: { show: false }, font: "12px Inter Variable, sans-serif" };
    const first = Math.min(...series.map((one) => one.times[0] ?? Infinity));
    const data = alignSeries(series.map((one) => ({ places: over === "step" ? one.steps : one.times.map((time) => time - (isEachFromZero ? (one.times[0] ?? 0) : first)), values: smooth(one.values, smoothing) })));
    const isShort = data[0].length < 40;
    const colours = listColours();
    const options: uPlot.Options = {
      width: element.clientWidth,
      height,
      legend: { live: true, show: true },
      cursor: { points: { size: 7 } },
      scales: { x: { time: false }, y: isLogarithmic ? { distr: 3 } : {} },
      axes: [{ ...axis, size: 32, values: (_, ticks) => ticks.map((tick) => (over === "step" ? formatNumber(tick) : `${formatNumber(tick)} s`)) }, { ...axis, size: 58, values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : formatNumber(tick))) }],
      series: [
        { label: over === "step" ? "step" : "seconds", value: (_, value) => (value === null ? "–" : formatNumber(value)) },
        ...series.map((one, k): uPlot.Series => ({
          label: one.label, stroke: colours[(places?.[k] ?? k) % colours.length], width: 1.75, spanGaps: true, points: { show: isShort, size: 5 }, value: (_, value) => (value === null ? "–" : formatNumber(value)),
        })),
      ],
    };
    const plot = new uPlot(options, data as uPlot.AlignedData, element);
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [series, over, smoothing, isLogarithmic, height, theme, places, isEachFromZero]);
  return <div ref={own} className="curve" />;
}
