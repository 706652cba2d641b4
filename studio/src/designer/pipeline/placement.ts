import { layOut, type Size } from "../../graph/layout";
import { inputId, outputId, stepId, type Drawing, type Port, type Step } from "./drawing";
import { isLiteral } from "./ports";
import type { Positions } from "../routes";

export const STEP_WIDTH = 232;
const PORT_ROW = 22;

/** The inputs that a node shows as ports: data, and what is connected. Other values are in its form. */
export function listShownInputs(step: Step): Port[] {
  return step.inputs.filter(({ spec, given }) => (given.kind === "reference" && given.to.kind === "step") || (spec.type !== undefined && !isLiteral(spec.type)) || (spec.type === undefined && given.kind === "reference"));
}

export function measureStep(step: Step): Size {
  const rows = (listShownInputs(step).length ? 1 : 0) + (step.outputs.length ? 1 : 0);
  const widths = [listShownInputs(step), step.outputs].map((ports) => ports.length * Math.max(0, ...ports.map(({ name }) => Math.min(130, 6 * name.length + 18))));
  return { width: Math.max(STEP_WIDTH, ...widths), height: 56 + rows * PORT_ROW };
}

/** The pipeline's inputs that are nodes: data. Parameters would only fill the drawing. */
export function listShownPorts(drawing: Drawing): string[] {
  return drawing.inputs.filter(({ spec }) => !isLiteral(spec.type)).map(({ name }) => name);
}

export interface PlacedNode {
  id: string;
  x: number;
  y: number;
  width: number;
  height: number;
}

let lastLayout: { key: string; boxes: ReturnType<typeof layOut> } | null = null;

/** The layout of the last call if nothing that it depends on has changed. */
function layOutOnce(sizes: Size[], edges: [number, number][]): ReturnType<typeof layOut> {
  const key = JSON.stringify([sizes.map(({ width, height }) => [width, height]), edges]);
  if (lastLayout?.key !== key) lastLayout = { key, boxes: layOutParts(sizes, edges) };
  return lastLayout.boxes;
}

const GAPS = { gapX: 36, gapY: 52 };
/** How many nodes without a connection stand beside each other: of few only two, as more could not be read where the whole is shown. */
const countLooseInRow = (count: number): number => Math.max(2, Math.ceil(Math.sqrt(count / 2)));

/** Lay out what is connected, and below it the rest, if that is more than a row, in short rows. */
function layOutParts(sizes: Size[], edges: [number, number][]): ReturnType<typeof layOut> {
  const linked = new Set(edges.flat());
  const all = sizes.map((_, k) => k);
  const loose = all.filter((k) => !linked.has(k));
  const inRow = countLooseInRow(loose.length);
  if (loose.length <= inRow) return layOut(sizes, edges, { ...GAPS, wrap: 12 });
  const tied = all.filter((k) => linked.has(k));
  const place = new Map(tied.map((k, at) => [k, at]));
  const above = layOut(tied.map((k) => sizes[k]), edges.map(([from, to]): [number, number] => [place.get(from)!, place.get(to)!]), { ...GAPS, wrap: 12 });
  const below = layOut(loose.map((k) => sizes[k]), [], { ...GAPS, wrap: inRow });
  const findRight = (boxes: typeof above) => boxes.reduce((most, { x, width }) => Math.max(most, x + width), 0);
  const shift = Math.round((findRight(above) - findRight(below)) / 2);
  const top = above.length ? above.reduce((most, { y, height }) => Math.max(most, y + height), 0) + GAPS.gapY : 0;
  const boxes = new Array<(typeof above)[number]>(sizes.length);
  tied.forEach((k, at) => (boxes[k] = { ...above[at], x: above[at].x + Math.max(0, -shift) }));
  loose.forEach((k, at) => (boxes[k] = { ...below[at], x: below[at].x + Math.max(0, shift), y: below[at].y + top }));
  return boxes;
}

/** Where each node stands: where somebody put it, else where the layout does. */
export function placeNodes(drawing: Drawing, positions: Positions): PlacedNode[] {
  const inputs = listShownPorts(drawing);
  const ids = [...inputs.map(inputId), ...drawing.steps.map((step) => stepId(step.name)), ...drawing.outputs.map(({ name }) => outputId(name))];
  const sizes: Size[] = [...inputs.map(() => PORT_SIZE), ...drawing.steps.map(measureStep), ...drawing.outputs.map(() => PORT_SIZE)];
  const index = new Map(ids.map((id, k) => [id, k]));
  const edges = drawing.edges.flatMap(({ from, to }): [number, number][] => {
    const [a, b] = [index.get(from), index.get(to)];
    return a === undefined || b === undefined ? [] : [[a, b]];
  });
  const boxes = ids.every((id) => positions[id]) ? [] : layOutOnce(sizes, edges);
  const placed: PlacedNode[] = [];
  const waiting: PlacedNode[] = [];
  ids.forEach((id, k) => {
    const found = positions[id];
    if (found) placed.push({ id, x: found[0], y: found[1], ...sizes[k] });
    else waiting.push({ id, x: boxes[k].x, y: boxes[k].y, ...sizes[k] });
  });
  for (const node of waiting) {
    if (placed.length && Object.keys(positions).length) while (placed.some((other) => overlaps(node, other))) node.y += 40;
    placed.push(node);
  }
  return placed;
}

/** The places of all nodes, with the chosen ones in a row or in a column, in the order in which they stand. */
export function alignNodes(placed: PlacedNode[], chosen: ReadonlySet<string>, way: "row" | "column"): Positions {
  const isRow = way === "row";
  const line = placed.filter(({ id }) => chosen.has(id)).sort((a, b) => (isRow ? a.x - b.x : a.y - b.y));
  const positions: Positions = Object.fromEntries(placed.map(({ id, x, y }): [string, [number, number]] => [id, [x, y]]));
  const middle = Math.round(line.reduce((sum, { x, width }) => sum + x + width / 2, 0) / Math.max(1, line.length));
  const top = Math.min(...line.map(({ y }) => y));
  let next = isRow ? (line[0]?.x ?? 0) : top;
  for (const node of line) {
    const at = Math.max(next, isRow ? node.x : node.y);
    positions[node.id] = isRow ? [at, top] : [middle - node.width / 2, at];
    next = at + (isRow ? node.width : node.height) + 36;
  }
  return positions;
}

const PORT_SIZE: Size = { width: 170, height: 40 };

function overlaps(a: PlacedNode, b: PlacedNode): boolean {
  return a.x < b.x + b.width + 12 && b.x < a.x + a.width + 12 && a.y < b.y + b.height + 12 && b.y < a.y + a.height + 12;
}
