import { layOut, type Size } from "../graph/layout";
import { inputId, outputId, stepId, type Drawing, type Port, type Step } from "./drawing";
import { isLiteral } from "./ports";
import type { Positions } from "./routes";

export const STEP_WIDTH = 232;
const PORT_ROW = 22;

/** The inputs that a node shows as ports: data, and what is connected. Other values are in its form. */
export function listShownInputs(step: Step): Port[] {
  return step.inputs.filter(({ spec, given }) => (given.kind === "reference" && given.to.kind === "step") || (spec.type !== undefined && !isLiteral(spec.type)) || (spec.type === undefined && given.kind === "reference"));
}

export function measureStep(step: Step): Size {
  const rows = (listShownInputs(step).length ? 1 : 0) + (step.outputs.length ? 1 : 0);
  return { width: Math.max(STEP_WIDTH, 76 * Math.max(listShownInputs(step).length, step.outputs.length)), height: 56 + rows * PORT_ROW };
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
  const boxes = layOut(sizes, edges, { gapX: 36, gapY: 52, wrap: 12 });
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

const PORT_SIZE: Size = { width: 170, height: 40 };

function overlaps(a: PlacedNode, b: PlacedNode): boolean {
  return a.x < b.x + b.width + 12 && b.x < a.x + a.width + 12 && a.y < b.y + b.height + 12 && b.y < a.y + a.height + 12;
}
