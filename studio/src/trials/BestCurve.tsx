import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useThemeCount } from "../shell/useThemeCount";
import { formatDuration, formatNumber } from "../text/format";
import type { Trial } from "./model";
import "../curves/curves.css";

const HEIGHT = 168;

/** The best so far as steps over time, and each trial as a point. */
export default function BestCurve({ points, metric }: { points: { trial: Trial; best: number }[]; metric: string }) {
  const own = useRef<HTMLDivElement>(null);
  const theme = useThemeCount();
  useEffect(() => {
    const element = own.current!;
    const style = getComputedStyle(element);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const axis = { stroke: colour("--muted"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "12px Inter Variable, sans-serif" };
    const first = Math.min(...points.map(({ trial }) => trial.row.start ?? Infinity));
    const show = (value: number | null) => (value === null ? "–" : formatNumber(value));
    const data = [points.map(({ trial }) => trial.row.end! - first), points.map(({ best }) => best), points.map(({ trial }) => trial.value)];
    const plot = new uPlot(
      {
        width: element.clientWidth,
        height: HEIGHT,
        scales: { x: { time: false } },
        axes: [{ ...axis, size: 32, values: (_, ticks) => ticks.map((tick) => formatDuration(tick)) }, { ...axis, size: 58, values: (_, ticks) => ticks.map((tick) => formatNumber(tick)) }],
        series: [
          { label: "after", value: (_, value) => (value === null ? "–" : formatDuration(value)) },
          { label: "best so far", stroke: colour("--completed"), width: 2, paths: uPlot.paths.stepped!({ align: 1 }), points: { show: false }, value: (_, value) => show(value) },
          { label: metric, stroke: colour("--accent"), width: 0, paths: () => null, points: { show: true, size: 6, fill: colour("--accent") }, value: (_, value) => show(value) },
        ],
      },
      data as uPlot.AlignedData,
      element,
    );
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [points, metric, theme]);
  return <div ref={own} className="curve" />;
}
