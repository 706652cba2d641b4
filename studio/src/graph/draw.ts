import type { Look } from "../text/states";
import type { GraphEdge, GraphNode } from "./model";
import { isVisible, type Viewport } from "./viewport";

/** What a canvas needs to know to draw a graph. */
export interface Picture {
  nodes: GraphNode[];
  edges: GraphEdge[];
  view: Viewport;
  width: number;
  height: number;
  isFar: boolean;
  selected: string | null;
  getLook: (node: GraphNode) => Look;
}

export interface Colours {
  edge: string;
  strong: string;
  frame: string;
  frameLine: string;
  looks: Record<Look, string>;
}

export function readColours(element: Element): Colours {
  const style = getComputedStyle(element);
  const read = (name: string) => style.getPropertyValue(name).trim();
  const looks = Object.fromEntries(
    (["waiting", "preparing", "running", "completed", "failed", "canceled"] as const).map((look) => [look, read(`--${look}`)]),
  ) as Record<Look, string>;
  return { edge: read("--line-strong"), strong: read("--accent"), frame: read("--sunken"), frameLine: read("--line-strong"), looks };
}

const ARROW = 5;
/** The lengths of a dash and of the gap behind it, near by. */
const DASHES = [6, 5];

/** Draw frames and edges, those that others imply only at the selected node, and orders dashed; far out also the nodes, as boxes in the colours of their states. */
export function drawGraph(canvas: HTMLCanvasElement, picture: Picture, colours: Colours): void {
  const scale = window.devicePixelRatio || 1;
  const [width, height] = [Math.round(picture.width * scale), Math.round(picture.height * scale)];
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext("2d");
  if (!context) return;
  const { left, top, zoom } = picture.view;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, width, height);
  context.setTransform(zoom * scale, 0, 0, zoom * scale, left * scale, top * scale);
  drawFrames(context, picture, colours);
  drawEdges(context, picture, colours);
  if (picture.isFar) drawBoxes(context, picture, colours);
}

function drawFrames(context: CanvasRenderingContext2D, { nodes, view }: Picture, colours: Colours): void {
  context.lineWidth = 1 / Math.min(1, view.zoom);
  for (const { kind, box } of nodes) {
    if (kind !== "frame") continue;
    context.fillStyle = colours.frame;
    context.strokeStyle = colours.frameLine;
    context.beginPath();
    context.roundRect(box.x, box.y, box.width, box.height, 12);
    context.fill();
    context.stroke();
  }
}

function drawEdges(context: CanvasRenderingContext2D, picture: Picture, colours: Colours): void {
  const { nodes, edges, view, selected } = picture;
  const chosen = selected === null ? -1 : nodes.findIndex((node) => node.id === selected);
  const tooMany = picture.isFar && edges.length > 6000;
  const isPlain = ([from, to, isImplied]: GraphEdge) => from !== chosen && to !== chosen && !isImplied && !tooMany;
  const isChosen = ([from, to]: GraphEdge) => from === chosen || to === chosen;
  const passes: [string, number, GraphEdge[]][] = [
    [colours.edge, 1.4, edges.filter(isPlain)],
    [colours.strong, 2, chosen < 0 ? [] : edges.filter(isChosen)],
  ];
  for (const [colour, thickness, drawn] of passes) {
    context.strokeStyle = context.fillStyle = colour;
    context.lineWidth = thickness / Math.max(0.35, Math.min(1, view.zoom));
    for (const isOrder of [false, true]) {
      context.setLineDash(isOrder ? DASHES.map((length) => length / Math.max(0.35, Math.min(1, view.zoom))) : []);
      drawLines(context, drawn.filter((edge) => (edge[3] ?? false) === isOrder), picture);
    }
    context.setLineDash([]);
    if (!picture.isFar) drawArrows(context, drawn, picture);
  }
}

function drawLines(context: CanvasRenderingContext2D, edges: GraphEdge[], picture: Picture): void {
  const { nodes, view } = picture;
  context.beginPath();
  for (const [from, to] of edges) {
    const [a, b] = [nodes[from].box, nodes[to].box];
    const area = { x: Math.min(a.x, b.x), y: a.y, width: Math.max(a.x + a.width, b.x + b.width) - Math.min(a.x, b.x), height: Math.max(1, b.y - a.y) };
    if (!isVisible(area, view, picture)) continue;
    const [startX, startY, endX, endY] = [a.x + a.width / 2, a.y + a.height, b.x + b.width / 2, b.y];
    const bend = Math.max(18, Math.min(90, (endY - startY) / 2));
    context.moveTo(startX, startY);
    context.bezierCurveTo(startX, startY + bend, endX, endY - bend, endX, endY - (picture.isFar ? 0 : ARROW));
  }
  context.stroke();
}

function drawArrows(context: CanvasRenderingContext2D, edges: GraphEdge[], picture: Picture): void {
  context.beginPath();
  for (const to of new Set(edges.map(([, end]) => end))) {
    const { box } = picture.nodes[to];
    if (!isVisible(box, picture.view, picture)) continue;
    const { x, y, width } = box;
    context.moveTo(x + width / 2, y);
    context.lineTo(x + width / 2 - ARROW, y - ARROW * 1.4);
    context.lineTo(x + width / 2 + ARROW, y - ARROW * 1.4);
    context.closePath();
  }
  context.fill();
}

function drawBoxes(context: CanvasRenderingContext2D, picture: Picture, colours: Colours): void {
  for (const node of picture.nodes) {
    if (node.kind === "frame" || !isVisible(node.box, picture.view, picture, 0)) continue;
    const { x, y, width, height } = node.box;
    context.fillStyle = colours.looks[picture.getLook(node)];
    context.globalAlpha = node.id === picture.selected ? 1 : 0.78;
    context.fillRect(x, y, width, height);
    context.globalAlpha = 1;
    if (node.id !== picture.selected) continue;
    context.strokeStyle = colours.strong;
    context.lineWidth = 3 / picture.view.zoom;
    context.strokeRect(x, y, width, height);
  }
}
