import { isAlias, isCollection, isMap, isNode, isPair, isScalar, isSeq, visit, type Alias, type Pair, type Scalar, type YAMLMap } from "yaml";
import { columnOf, endOf, findPair, keyEndOf, keyOf, lineEnd, lineStart, startOf, type Edit, type Path, type Source, type Value } from "./source";
import { indentLines, writeBlock, writeFlow, writeKey, writeNewBlock, writePair, writeScalar } from "./write";

/** Put a value at a path, and change nothing but its own stretch of the text. */
export function setValue(source: Source, path: Path, value: Value): Edit {
  const { newline } = source;
  const parent = source.findMap(path.slice(0, -1));
  const pair = parent && findPair(parent, path.at(-1)!);
  if (!pair) return addPair(source, path.slice(0, -1), String(path.at(-1)), value);
  refuseExplicit(source, pair);
  const node = pair.value;
  const isInFlow = source.isInFlow(path);
  if (isAlias(node)) return { from: node.range![0], to: node.range![1], insert: writeScalar(value, null, newline, isInFlow) };
  if (node === null || (isScalar(node) && node.range![0] === node.range![1])) return fillEmpty(source, pair, value, isInFlow);
  if (isScalar(node)) return setScalar(source, pair, value, isInFlow);
  return replaceCollection(source, path, value);
}

/** `? key` has its value at another place than all else, which no edit looks for. */
export function refuseExplicit({ text }: Source, pair: Pair): void {
  const at = startOf(pair);
  if (/(^|[{,[]|- )[ \t]*\?[ \t]+$/.test(text.slice(lineStart(text, at), at))) throw new Error(`the key '${keyOf(pair)}' is written with a question mark before it; write it as '${keyOf(pair)}: …' in the YAML first`);
}

function setScalar({ text, newline }: Source, pair: Pair, value: Value, isInFlow: boolean): Edit {
  const node = pair.value as Scalar;
  const [start, to] = node.range!;
  const [tag = ""] = /![^\s,]*\s+$/.exec(text.slice(keyEndOf(pair), start)) ?? []; // it would make another value of the new text
  const from = tag.trim() === "!!str" && typeof value === "string" ? start : start - tag.length;
  const isBlock = node.type === "BLOCK_LITERAL" || node.type === "BLOCK_FOLDED";
  if (isBlock && typeof value === "string") return { from, to, insert: writeBlock(text.slice(start, to), value, node.type === "BLOCK_FOLDED", newline) };
  if (value !== null && typeof value === "object" && !isInFlow) {
    const start = text.indexOf(":", keyEndOf(pair)) + 1;
    const lines = newline + writeLines(value, columnOf(text, startOf(pair)) + 2, newline);
    return { from: start, to, insert: lines + (isBlock ? newline : "") };
  }
  const isQuoted = node.type === "QUOTE_DOUBLE" || node.type === "QUOTE_SINGLE";
  const isLastOfLine = /^[ \t]*(\r?\n|$)/.test(text.slice(to));
  const block = isInFlow || (isQuoted && text.slice(from, to).length > 2) || !isLastOfLine ? null : writeNewBlock(value, columnOf(text, startOf(pair)) + 2, newline);
  return { from, to, insert: block ?? writeScalar(value, node, newline, isInFlow) + (isBlock ? newline : "") };
}

/** `key:` or `key: # why` gets a value: a plain one after the colon, a mapping in the lines below. */
function fillEmpty({ text, newline }: Source, pair: Pair, value: Value, isInFlow: boolean): Edit {
  const colon = text.indexOf(":", keyEndOf(pair)) + 1;
  if (value === null || typeof value !== "object" || isInFlow) return { from: colon, to: colon, insert: " " + writeScalar(value, null, newline, isInFlow) };
  const at = lineEnd(text, keyEndOf(pair));
  return { from: at, to: at, insert: newline + writeLines(value, columnOf(text, startOf(pair)) + 2, newline) };
}

function replaceCollection(source: Source, path: Path, value: Value): Edit {
  const { text, newline } = source;
  const pair = source.findPair(path)!;
  const map = pair.value as YAMLMap;
  if (map.flow || value === null || typeof value !== "object") {
    const from = map.flow ? map.range![0] : text.indexOf(":", keyEndOf(pair)) + 1;
    return { from, to: endOf(pair), insert: (map.flow ? "" : " ") + writeScalar(value, null, newline, source.isInFlow(path)) };
  }
  const from = lineStart(text, map.range![0]);
  return { from, to: endOf(pair), insert: writeLines(value, columnOf(text, map.range![0]), newline) };
}

function writeLines(value: Value, indent: number, newline: string): string {
  if (Array.isArray(value)) return writePair("x", value, 0, "\n").split("\n").slice(1).map((line) => " ".repeat(indent) + line.slice(2)).join(newline);
  return Object.entries(value as Record<string, Value>).map(([key, one]) => writePair(key, one, indent, newline)).join(newline);
}

/** The edits, from the last place to the first, by which a list gets other values; null if it has to be written anew. */
export function changeItems(source: Source, path: Path, values: Value[]): Edit[] | null {
  const { text, newline } = source;
  const list = source.find(path);
  if (!isSeq(list) || !list.items.length || !values.length || list.anchor || list.tag) return null;
  const items = list.items as Scalar[];
  const isPlain = items.every((item) => isScalar(item) && item.range && !item.anchor && !item.type?.startsWith("BLOCK") && item.range[1] > item.range[0]);
  if (!isPlain || values.some((value) => value !== null && typeof value === "object")) return null;
  const isFlow = list.flow === true;
  const edits = items.slice(0, values.length).flatMap((item, k): Edit[] => (item.value === values[k] ? [] : [{ from: item.range![0], to: item.range![1], insert: writeScalar(values[k], item, newline, isFlow) }]));
  const last = items.at(-1)!.range![1];
  const dash = items.at(-1)!.range![0];
  if (values.length > items.length) {
    const added = values.slice(items.length).map((value) => writeScalar(value, null, newline, isFlow));
    const indent = text.slice(lineStart(text, dash), dash);
    if (!isFlow && !/^ *- +$/.test(indent)) return null;
    const at = isFlow ? last : lineEnd(text, last);
    edits.push({ from: at, to: at, insert: isFlow ? added.map((one) => `, ${one}`).join("") : added.map((one) => newline + indent + one).join("") });
  }
  if (values.length < items.length) {
    const kept = items[values.length - 1].range![1];
    edits.push(isFlow ? { from: kept, to: last, insert: "" } : { from: lineEnd(text, kept), to: lineEnd(text, last), insert: "" });
  }
  return edits.reverse();
}

/** Add a pair at the end of the mapping at `path`, which may be empty, `{}`, in braces, or not be there. */
export function addPair(source: Source, path: Path, key: string, value: Value): Edit {
  const shared = findShared(source, path);
  if (shared) return overrideShared(source, shared, [...path, key], value);
  return addText(source, path, (indent, isFlow) => (isFlow ? `${writeKey(key)}: ${writeFlow(value)}` : writePair(key, value, indent, source.newline)));
}

/** The first mapping on the way to a path that stands in another part of the file: an alias, or a merged key. */
function findShared(source: Source, path: Path): Path | null {
  for (let k = 1; k <= path.length; k++) {
    const at = path.slice(0, k);
    const pair = source.findPair(at);
    if (pair && !isAlias(pair.value)) continue;
    return isMap(source.resolve(at)) ? at : null;
  }
  return null;
}

/** Give the place of a shared mapping a value of its own: an alias is merged with it, a merged mapping is written out. */
function overrideShared(source: Source, at: Path, path: Path, value: Value): Edit {
  const { text, newline } = source;
  const pair = source.findPair(at);
  if (!pair) return addPair(source, at.slice(0, -1), String(at.at(-1)), replaceWithin(readExactly(source, at), path.slice(at.length), value));
  refuseExplicit(source, pair);
  const key = String(path[at.length]);
  const rest = path.slice(at.length + 1);
  const own = rest.length ? replaceWithin(readExactly(source, [...at, key]), rest, value) : value;
  const [from, to] = (pair.value as Alias).range!;
  const alias = text.slice(from, to);
  if (source.isInFlow(at)) return { from, to, insert: `{<<: ${alias}, ${writeKey(key)}: ${writeScalar(own, null, newline, true)}}` };
  const indent = columnOf(text, startOf(pair)) + 2;
  const end = lineEnd(text, to);
  const lines = `${" ".repeat(indent)}<<: ${alias}${newline}${writePair(key, own, indent, newline)}`;
  return { from: text[from - 1] === " " ? from - 1 : from, to: end, insert: text.slice(to, end).trimEnd() + newline + lines };
}

/** The value of a mapping in another part of the file, where a copy of it would lose no digit of a number. */
function readExactly(source: Source, path: Path): Value {
  const node = source.resolve(path);
  if (!isNode(node)) return {};
  visit(node, { Scalar: (_, { value, source: written }) => {
    if (typeof value === "number" && String(value) !== written) throw new Error(`'${path.at(-1)}' comes from another part of the file (by '*' or '<<'), where ${written} would lose digits in a copy; write it out in the YAML first`);
  } });
  return node.toJS(source.doc, { maxAliasCount: 10_000 }) as Value;
}

/** A copy of a value with another one at a path in it. */
function replaceWithin(whole: Value, [key, ...rest]: Path, value: Value): Value {
  const fields = whole !== null && typeof whole === "object" && !Array.isArray(whole) ? whole : {};
  return { ...fields, [key]: rest.length ? replaceWithin(fields[key] ?? {}, rest, value) : value };
}

/** Add a pair that is written already, as lines without indentation. */
export function addLines(source: Source, path: Path, lines: string, flow: string): Edit {
  return addText(source, path, (indent, isFlow) => (isFlow ? flow : indentLines(lines, indent).replaceAll("\n", source.newline)));
}

type Writer = (indent: number, isFlow: boolean) => string;

function addText(source: Source, path: Path, write: Writer): Edit {
  const { text, newline } = source;
  const map = path.length ? source.find(path) : source.doc.contents;
  if (isMap(map) && map.items.length) return addToMap(source, map as YAMLMap, write);
  if (!path.length) return addToEnd(source, write(0, false));
  const parentPath = path.slice(0, -1);
  const key = String(path.at(-1));
  const pair = source.findPair(path);
  if (!pair) {
    const parent = parentPath.length ? source.find(parentPath) : source.doc.contents;
    if (isMap(parent) && parent.flow) return addText(source, parentPath, () => `${writeKey(key)}: {${write(0, true)}}`);
    return addText(source, parentPath, (indent, isFlow) => (isFlow ? `${writeKey(key)}: {${write(0, true)}}` : `${" ".repeat(indent)}${writeKey(key)}:${newline}${write(indent + 2, false)}`));
  }
  const node = pair.value;
  const isEmpty = node === null || (isScalar(node) && node.value === null) || (isMap(node) && !node.items.length);
  if (!isEmpty && !isAlias(node)) throw new Error(`'${key}' is not a mapping, so nothing can be added to it`);
  if (isAlias(node)) throw new Error(`'${key}' is an alias of another part of the file; change it there, in the YAML`);
  const parent = source.findMap(parentPath)!;
  if (parent.flow) {
    const [from, to] = (node as Scalar | null)?.range ?? [keyEndOf(pair) + 1, keyEndOf(pair) + 1];
    return { from, to, insert: `${from === to ? " " : ""}{${write(0, true)}}` };
  }
  const lines = newline + write(columnOf(text, startOf(pair)) + 2, false);
  const [from, to] = (node as Scalar | null)?.range ?? [0, 0];
  if (from !== to) return { from: text[from - 1] === " " ? from - 1 : from, to, insert: lines }; // null, ~ or {}
  const at = lineEnd(text, keyEndOf(pair));
  return { from: at, to: at, insert: lines };
}

function addToMap(source: Source, map: YAMLMap, write: Writer): Edit {
  const { text, newline } = source;
  if (!map.flow) refuseExplicit(source, map.items[0]); // whose column is not that of the others
  const last = endOf(map.items.at(-1)!);
  if (map.flow) return { from: last, to: last, insert: `, ${write(0, true)}` };
  const indent = columnOf(text, startOf(map.items[0]));
  const at = lineEnd(text, last);
  const lines = write(indent, false);
  if (text[at - 1] === "\n") return { from: at, to: at, insert: lines + newline };
  if (at < text.length) return { from: at, to: at, insert: newline + lines };
  const end = /[|>][-+\d]*[ \t]*(#.*)?\r?\n/.test(lines) ? newline : ""; // which a block needs
  const open = findOpenBlock(source);
  return { from: open ?? at, to: at, insert: (open === null ? "" : stripBlock(text.slice(open))) + newline + lines + end };
}

/** The text after the `|` or `>` of a block, so that its value has no last line break. */
export const stripBlock = (text: string): string => `-${text.replace(/^(\d?)\+/, "$1")}`;

/** The place after the `|` or `>` of a block at the very end of a text: without a last line break its value has none, and would get one from whatever follows. */
export function findOpenBlock({ text, doc }: Source): number | null {
  if (text.endsWith("\n")) return null;
  let node: unknown = doc.contents;
  while (isCollection(node)) {
    const last: unknown = node.items.at(-1);
    node = isPair(last) ? last.value : last;
  }
  if (!isScalar(node) || !node.type?.startsWith("BLOCK") || !node.range) return null;
  return /^[|>]\d?-/.test(text.slice(node.range[0], node.range[0] + 3)) ? null : node.range[0] + 1;
}

function addToEnd({ text, newline }: Source, lines: string): Edit {
  const gap = text && !text.endsWith("\n") ? newline : "";
  return { from: text.length, to: text.length, insert: gap + lines + newline };
}

/** Remove a pair with the comments in its lines; comments above it stay. A mapping left empty becomes `{}`. */
export function removePair(source: Source, path: Path): Edit {
  const { text, newline } = source;
  const map = source.findMap(path.slice(0, -1));
  const place = map ? map.items.findIndex((pair) => keyOf(pair) === String(path.at(-1))) : -1;
  if (!map || place < 0) throw new Error(`there is nothing at ${path.join(".")}`);
  const pair = map.items[place];
  refuseExplicit(source, pair);
  const [from, end] = [startOf(pair), endOf(pair)];
  if (map.flow) {
    if (map.items.length === 1) return { from, to: end, insert: "" };
    return place ? { from: endOf(map.items[place - 1]), to: end, insert: "" } : { from, to: startOf(map.items[1]), insert: "" };
  }
  if (map.items.length === 1) return { from, to: end, insert: "{}" + (text[end - 1] === "\n" ? newline : "") };
  const line = lineStart(text, from);
  if (text.slice(line, from).trim()) return { from, to: startOf(map.items[place + 1]), insert: "" }; // `- key: …`
  const to = lineEnd(text, end);
  const after = text[to - 1] === "\n" ? to : text[to] === "\r" ? to + 2 : Math.min(to + 1, text.length);
  if (after === text.length && to === text.length && line > 0) return { from: text[line - 2] === "\r" ? line - 2 : line - 1, to, insert: "" };
  return { from: line, to: after, insert: "" };
}

export function renameKey(source: Source, path: Path, key: string): Edit {
  const pair = source.findPair(path)!;
  refuseExplicit(source, pair);
  return { from: startOf(pair), to: keyEndOf(pair), insert: writeKey(key) };
}
