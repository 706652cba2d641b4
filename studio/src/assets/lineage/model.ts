import type { LineageNode, State } from "../../api/types";
import { layOut } from "../../graph/layout";
import { NODE, type Arrangement } from "../../graph/model";

/** A job or asset of a lineage, once, however often the walk met it. */
export interface LineageItem {
  key: string;
  kind: string;
  name: string;
  version?: string;
  status?: State;
  label: string;
  /** What it is, and by which input or output it is connected where that is one only. */
  facts: string;
  isSelf: boolean;
}

export interface LineageGraph {
  items: LineageItem[];
  /** Places in `items`, from what was used to what was made. */
  edges: [number, number][];
  /** True if there is more than the answer has. */
  isCut: boolean;
}

export const MOST_DRAWN = 500;

/** Make one graph of a walk in both directions. */
export function buildLineage(self: LineageNode): LineageGraph {
  const places = new Map<string, number>();
  const items: LineageItem[] = [];
  const edges: [number, number][] = [];
  const seen = new Set<string>();
  let isCut = false;

  function add(node: LineageNode): number {
    const key = `${node.kind} ${node.name}:${node.version ?? ""}`;
    const found = places.get(key);
    if (found !== undefined) return found;
    places.set(key, items.length);
    items.push({ key, kind: node.kind, name: node.name, version: node.version, status: node.status, label: nameNode(node), facts: describeNode(node), isSelf: items.length === 0 });
    return items.length - 1;
  }

  function link(from: number, to: number): void {
    if (from === to || seen.has(`${from} ${to}`)) return;
    seen.add(`${from} ${to}`);
    edges.push([from, to]);
  }

  function walk(node: LineageNode, side: "made_by" | "used_by"): void {
    const own = add(node);
    isCut ||= node.more === true;
    for (const other of node[side] ?? []) {
      if (items.length >= MOST_DRAWN) {
        isCut = true;
        return;
      }
      const place = add(other);
      if (side === "made_by") link(place, own);
      else link(own, place);
      walk(other, side);
    }
  }

  walk(self, "made_by");
  walk(self, "used_by");
  return { items, edges, isCut };
}

function nameNode(node: LineageNode): string {
  if (node.kind === "job") return node.step ?? node.name;
  return node.version ? `${node.name}:${node.version}` : node.name;
}

function describeNode(node: LineageNode): string {
  if (node.kind === "job") return node.parent ? `step of ${node.parent}` : "job";
  return { data: "data", models: "model", uri: "address", imported: "imported" }[node.kind] ?? node.kind;
}

/** The place of each item on the drawing. */
export function arrangeLineage({ items, edges }: LineageGraph): Arrangement {
  const boxes = layOut(items.map(() => NODE), edges);
  return {
    nodes: items.map((item, k) => ({ id: item.key, kind: "job", label: item.label, jobs: [item.key], type: item.kind, box: boxes[k], depth: 0 })),
    edges: edges.map(([from, to]) => [from, to, false]),
    width: Math.max(0, ...boxes.map((box) => box.x + box.width)),
    height: Math.max(0, ...boxes.map((box) => box.y + box.height)),
  };
}

/** The parts of the address of an item's page, below the workspace; null for what has no page here. */
export function findPage(item: LineageItem): string[] | null {
  if (item.kind === "job") return ["jobs", item.name];
  return item.kind === "data" || item.kind === "models" ? [item.kind, item.name, item.version ?? ""] : null;
}
