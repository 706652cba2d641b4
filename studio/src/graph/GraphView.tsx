import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent, type PointerEvent, type ReactNode } from "react";
import type { GraphJob } from "../api/types";
import { Icon } from "../shell/icons";
import { onThemeChange } from "../shell/theme";
import { getLook, type Look } from "../text/states";
import { readColours, type Colours } from "./draw";
import { combineStates, type Arrangement, type GraphEdge, type GraphNode } from "./model";
import { NodeBox, type NodeMark } from "./NodeBox";
import { useCanvas } from "./useCanvas";
import { chooseViewport, FAR, findNeighbour, fit, isVisible, reveal, zoomAt, type Viewport } from "./viewport";
import "./graph.css";

interface Props {
  arrangement: Arrangement;
  getJob: (name: string) => GraphJob | undefined;
  /** What differs in a node from another job, where two are compared; far out it decides the colour. */
  getMark?: (node: GraphNode) => NodeMark | undefined;
  /** Counts the changes of the jobs' states. */
  version: number;
  now: number;
  selected: string | null;
  focus: string | undefined;
  onSelect: (node: GraphNode) => void;
  onToggle: (node: GraphNode) => void;
  /** Draws a node that is near, where it is not a job with its state. */
  renderNode?: (node: GraphNode, isSelected: boolean) => ReactNode;
}

const STEP = 1.25;
const MARK_LOOKS = { added: "completed", removed: "failed", changed: "canceled", inside: "canceled", same: "waiting" } as const satisfies Record<NodeMark["look"], Look>;
const ARROWS = { ArrowUp: "up", ArrowDown: "down", ArrowLeft: "left", ArrowRight: "right" } as const;

/** A graph to be moved and looked at: near, nodes are elements; far out all is one canvas. */
export function GraphView({ arrangement, getJob, getMark, version, now, selected, focus, onSelect, onToggle, renderNode }: Props) {
  const own = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [size, setSize] = useState<{ width: number; height: number } | null>(null);
  const [view, setView] = useState<Viewport | null>(null);
  const [colours, setColours] = useState<Colours | null>(null);
  const { nodes, edges } = arrangement;
  const isFar = view !== null && view.zoom < FAR;
  const byJob = useMemo(() => new Map([...nodes].reverse().flatMap((node) => node.jobs.map((name) => [name, node]))), [nodes]);
  const findNode = (name: string | undefined) => (name === undefined ? undefined : byJob.get(name));

  useLayoutEffect(() => {
    const element = own.current!;
    const measure = () => setSize({ width: element.clientWidth, height: element.clientHeight });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    setColours(readColours(element));
    const stop = onThemeChange(() => setColours(readColours(element)));
    return () => {
      observer.disconnect();
      stop();
    };
  }, []);

  useLayoutEffect(() => {
    if (!size || view || !nodes.length) return;
    setView(chooseViewport(arrangement, size, findNode(selected ?? focus)?.box));
  }, [size, view, arrangement]);

  const revealed = useRef({ selected, size });
  useEffect(() => {
    const node = findNode(selected ?? undefined);
    if (!node || !size) return;
    const { selected: last, size: before } = revealed.current;
    revealed.current = { selected, size };
    // The panel of a step that is selected takes a part of the window, perhaps the one with the step.
    setView((view) => view && (selected !== last || (before && before !== size && isVisible(node.box, view, before, 0)) ? reveal(node.box, view, size) : view));
  }, [selected, nodes, size]);

  const states = useMemo(() => {
    const look = (node: GraphNode) => (getMark ? MARK_LOOKS[getMark(node)?.look ?? "same"] : getLook(combineStates(node.jobs.map((name) => getJob(name)?.status ?? "NotStarted"))));
    return new Map(nodes.map((node) => [node.id, look(node)]));
  }, [nodes, version, getMark]);
  const [cursor, setCursor] = useState<string | null>(null);
  const selectedId = (cursor !== null && nodes.some((node) => node.id === cursor) ? cursor : findNode(selected ?? undefined)?.id) ?? null;
  const latest = useRef({ onSelect, onToggle });
  latest.current = { onSelect, onToggle };
  const select = useCallback((node: GraphNode) => {
    setCursor(null);
    latest.current.onSelect(node);
  }, []);
  const toggle = useCallback((node: GraphNode) => latest.current.onToggle(node), []);

  const getLookOf = useCallback((node: GraphNode) => states.get(node.id) ?? "waiting", [states]);
  useCanvas(canvas, view, size, { nodes, edges, isFar, selected: selectedId, getLook: getLookOf }, colours);

  const pan = usePan(own, setView);
  useWheel(own, setView);

  function pick(event: PointerEvent) {
    if (!isFar || pan.hasMoved()) return;
    const bounds = own.current!.getBoundingClientRect();
    const [x, y] = [(event.clientX - bounds.left - view.left) / view.zoom, (event.clientY - bounds.top - view.top) / view.zoom];
    const hit = nodes.findLast(({ kind, box }) => kind !== "frame" && x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height);
    if (hit) select(hit);
  }

  const zoomBy = useCallback((factor: number) => setView((before) => before && size && zoomAt(before, factor, size.width / 2, size.height / 2)), [size]);

  function press(event: KeyboardEvent) {
    const direction = ARROWS[event.key as keyof typeof ARROWS];
    if (direction) {
      event.preventDefault();
      const from = nodes.findIndex((node) => node.id === selectedId);
      const next = from < 0 ? 0 : findNeighbour(nodes.map((node) => node.box), from, direction);
      if (next < 0 || !nodes[next]) return;
      setCursor(nodes[next].id); // a fold has no panel of its own, so it is not the page's selection
      if (nodes[next].kind !== "fold") onSelect(nodes[next]);
      if (size) setView((before) => before && reveal(nodes[next].box, before, size));
    } else if ((event.key === "Enter" || event.key === " ") && event.target === event.currentTarget) {
      event.preventDefault();
      const node = nodes.find(({ id }) => id === selectedId);
      if (node && (node.kind !== "job" || getJob(node.jobs[0])?.composite)) onToggle(node);
    } else if (event.key === "+" || event.key === "=") zoomBy(STEP);
    else if (event.key === "-") zoomBy(1 / STEP);
    else if (event.key === "0" && size) setView(fit(arrangement, size));
  }

  const shown = view && size && !isFar ? nodes.filter((node) => node.id === selectedId || isVisible(node.box, view, size)) : [];
  return (
    <div ref={own} className="graph" role="group" aria-label={`Graph of ${nodes.length} steps; arrows go from one to the next, Enter opens one that has steps of its own`} tabIndex={0} onKeyDown={press} onPointerDown={pan.start} onPointerMove={pan.move} onPointerUp={(event) => { pick(event); pan.end(event); }} onPointerCancel={pan.end}>
      <canvas ref={canvas} aria-hidden="true" />
      {view && (
        <div className="graph-nodes" style={{ transform: `translate(${view.left}px, ${view.top}px) scale(${view.zoom})` }}>
          {shown.map((node) => (renderNode ? renderNode(node, node.id === selectedId) : <NodeBox key={node.id} node={node} getJob={getJob} mark={getMark?.(node)} version={version} now={now} isSelected={node.id === selectedId} onSelect={select} onToggle={toggle} />))}
        </div>
      )}
      <Legend edges={edges} />
      <div className="graph-tools" onPointerDown={(event) => event.stopPropagation()}>
        <button className="button icon small" aria-label="Closer" onClick={() => zoomBy(STEP)}><Icon name="plus" size={14} /></button>
        <button className="button icon small" aria-label="Farther" onClick={() => zoomBy(1 / STEP)}><Icon name="minus" size={14} /></button>
        <button className="button icon small" aria-label="Show all" onClick={() => size && setView(fit(arrangement, size))}><Icon name="fit" size={14} /></button>
      </div>
    </div>
  );
}

/** What lines mean beyond that one step waits for the data of another. */
function Legend({ edges }: { edges: GraphEdge[] }) {
  const hasOrders = useMemo(() => edges.some(([, , , isOrder]) => isOrder), [edges]);
  const hasImplied = useMemo(() => edges.some(([, , isImplied]) => isImplied), [edges]);
  if (!hasOrders && !hasImplied) return null;
  return (
    <ul className="graph-legend" aria-label="Lines of the graph">
      {hasOrders && <li><svg width="26" height="2" aria-hidden="true"><line x1="0" y1="1" x2="26" y2="1" /></svg>Order only: no data goes along it</li>}
      {hasImplied && <li>A line that others imply is drawn once one of its steps is selected</li>}
    </ul>
  );
}

type SetView = (change: (before: Viewport | null) => Viewport | null) => void;

/** Move the drawing with one pointer, zoom it with two. */
function usePan(own: React.RefObject<HTMLDivElement | null>, setView: SetView) {
  const pointers = useRef(new Map<number, { x: number; y: number }>());
  const moved = useRef(0);
  return {
    hasMoved: () => moved.current > 4,
    start(event: PointerEvent) {
      if (event.button !== 0) return;
      if (!pointers.current.size) moved.current = 0;
      pointers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
    },
    move(event: PointerEvent) {
      const before = pointers.current.get(event.pointerId);
      if (!before) return;
      const [dx, dy] = [event.clientX - before.x, event.clientY - before.y];
      moved.current += Math.abs(dx) + Math.abs(dy);
      if (moved.current > 4 && !own.current!.hasPointerCapture(event.pointerId)) own.current!.setPointerCapture(event.pointerId);
      const other = [...pointers.current].find(([id]) => id !== event.pointerId)?.[1];
      pointers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
      if (!other) return setView((view) => view && { ...view, left: view.left + dx, top: view.top + dy });
      const bounds = own.current!.getBoundingClientRect();
      const distance = (x: number, y: number) => Math.hypot(x - other.x, y - other.y);
      const factor = distance(event.clientX, event.clientY) / Math.max(1, distance(before.x, before.y));
      setView((view) => view && zoomAt(view, factor, other.x - bounds.left, other.y - bounds.top));
    },
    end(event: PointerEvent) {
      pointers.current.delete(event.pointerId);
    },
  };
}

/** Zoom with the wheel at the pointer. The listener is not passive, so that the page does not scroll or zoom. */
function useWheel(own: React.RefObject<HTMLDivElement | null>, setView: SetView) {
  useEffect(() => {
    const element = own.current!;
    function turn(event: WheelEvent) {
      event.preventDefault();
      const bounds = element.getBoundingClientRect();
      const lines = event.deltaMode === 1 ? 16 : 1;
      if (event.shiftKey) return setView((view) => view && { ...view, left: view.left - (event.deltaX || event.deltaY) * lines });
      const factor = Math.exp(-event.deltaY * lines * 0.0016);
      setView((view) => view && zoomAt(view, factor, event.clientX - bounds.left, event.clientY - bounds.top));
    }
    element.addEventListener("wheel", turn, { passive: false });
    return () => element.removeEventListener("wheel", turn);
  }, []);
}
