import { useEffect, useLayoutEffect, useRef, useState, type PointerEvent } from "react";
import { useThemeCount } from "../shell/useThemeCount";
import type { Axis, Brushes } from "./axes";
import type { Trial } from "./model";

interface Props {
  axes: Axis[];
  trials: Trial[];
  /** True for the trials that are on all brushed parts. */
  chosen: boolean[];
  goal: "maximize" | "minimize";
  best: string | undefined;
  selected: string | null;
  brushes: Brushes;
  onBrush: (brushes: Brushes) => void;
}

const HEIGHT = 196;
const [TOP, BOTTOM, SIDE] = [34, 14, 70];
const GRAB = 16;
const LEAST = 0.02;

/** Each trial as a line over the axes of its parameters, in the colour of its metric. The table says the same in words. */
export function ParallelCoordinates({ axes, trials, chosen, goal, best, selected, brushes, onBrush }: Props) {
  const own = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const theme = useThemeCount();
  const [drag, setDrag] = useState<{ name: string; from: number; to: number } | null>(null);
  useLayoutEffect(() => {
    const element = own.current!;
    const measure = () => setWidth(element.clientWidth);
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => observer.disconnect();
  }, []);
  const placeAxis = (k: number) => SIDE + (k * (width - 2 * SIDE)) / Math.max(1, axes.length - 1);
  const placeValue = (place: number) => HEIGHT - BOTTOM - place * (HEIGHT - TOP - BOTTOM);
  const readPlace = (event: PointerEvent) => Math.min(1, Math.max(0, (HEIGHT - BOTTOM - (event.clientY - own.current!.getBoundingClientRect().top)) / (HEIGHT - TOP - BOTTOM)));

  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context || !width) return;
    const scale = window.devicePixelRatio || 1;
    canvas.current!.width = width * scale;
    canvas.current!.height = HEIGHT * scale;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, HEIGHT);
    const style = getComputedStyle(own.current!);
    const [weak, strong, good] = ["--line-strong", "--accent", "--completed"].map((name) => style.getPropertyValue(name).trim());
    const metric = axes[axes.length - 1];
    const rank = (k: number) => {
      const place = metric.places[k];
      return place === null ? 0 : goal === "maximize" ? place : 1 - place;
    };
    const order = trials.map((_, k) => k).sort((a, b) => Number(chosen[a]) - Number(chosen[b]) || rank(a) - rank(b));
    for (const k of order) {
      const name = trials[k].row.name;
      const isMarked = name === best || name === selected;
      context.strokeStyle = !chosen[k] ? weak : name === best ? good : strong;
      context.globalAlpha = !chosen[k] ? 0.25 : isMarked ? 1 : 0.12 + 0.6 * rank(k) ** 2;
      context.lineWidth = isMarked ? 2.5 : 1.3;
      context.beginPath();
      let isOpen = false;
      axes.forEach((axis, at) => {
        const place = axis.places[k];
        if (place === null) return void (isOpen = false);
        const [x, y] = [placeAxis(at), placeValue(place)];
        if (isOpen) context.lineTo(x, y);
        else context.moveTo(x, y);
        isOpen = true;
      });
      context.stroke();
    }
    context.globalAlpha = 1;
  }, [axes, trials, chosen, goal, best, selected, width, theme]);

  function end() {
    if (!drag) return;
    const [low, high] = [Math.min(drag.from, drag.to), Math.max(drag.from, drag.to)];
    const rest = Object.fromEntries(Object.entries(brushes).filter(([name]) => name !== drag.name));
    onBrush(high - low < LEAST ? rest : { ...rest, [drag.name]: [low, high] });
    setDrag(null);
  }
  const shown = drag ? { ...brushes, [drag.name]: [Math.min(drag.from, drag.to), Math.max(drag.from, drag.to)] as [number, number] } : brushes;
  return (
    <div ref={own} className="parallel" style={{ height: HEIGHT }} role="img" aria-label={`Parallel coordinates of ${trials.length} trials over ${axes.map(({ name }) => name).join(", ")}; the table of trials says the same`}>
      <canvas ref={canvas} />
      {width > 0 && (
        <svg width={width} height={HEIGHT} onPointerMove={(event) => drag && setDrag({ ...drag, to: readPlace(event) })} onPointerUp={end} onPointerCancel={() => setDrag(null)}>
          {axes.map((axis, k) => {
            const x = placeAxis(k);
            const brush = shown[axis.name];
            const isLast = k === axes.length - 1;
            return (
              <g key={axis.name}>
                <line x1={x} x2={x} y1={TOP} y2={HEIGHT - BOTTOM} />
                <text x={x} y={16} textAnchor={k === 0 ? "start" : isLast ? "end" : "middle"} dx={k === 0 ? -SIDE + 6 : isLast ? SIDE - 6 : 0} className="axis-name">{cut(axis.name, Math.max(8, Math.floor((width - 2 * SIDE) / Math.max(1, axes.length - 1) / 7)))}</text>
                {axis.ticks.map(({ place, text }) => <text key={`${place} ${text}`} x={x} dx={isLast ? 7 : -7} y={placeValue(place)} dy="0.35em" textAnchor={isLast ? "start" : "end"}>{cut(text, 11)}</text>)}
                {brush && <rect className="brush" x={x - 7} width={14} y={placeValue(brush[1])} height={Math.max(2, placeValue(brush[0]) - placeValue(brush[1]))} />}
                <rect
                  className="grab" x={x - GRAB} width={2 * GRAB} y={TOP - 6} height={HEIGHT - TOP - BOTTOM + 12}
                  onPointerDown={(event) => {
                    event.currentTarget.ownerSVGElement!.setPointerCapture(event.pointerId);
                    const place = readPlace(event);
                    setDrag({ name: axis.name, from: place, to: place });
                  }}
                />
              </g>
            );
          })}
        </svg>
      )}
    </div>
  );
}

const cut = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
