import { isAlias, isCollection, isMap, isPair, isScalar, isSeq, parseDocument, type Document, type Pair, type ParsedNode, type Scalar, type YAMLMap } from "yaml";

/** A replacement in a text. */
export interface Edit {
  from: number;
  to: number;
  insert: string;
}

export type Path = (string | number)[];
export type Value = string | number | boolean | null | Value[] | { [key: string]: Value };

/** A YAML text with its nodes. A drawing of a text that does not parse can be looked at only. */
export class Source {
  private parsed: Document.Parsed | null;

  /** `parsed` is what the text was parsed as, if it was. */
  constructor(readonly text: string, parsed: Document.Parsed | null = null) {
    this.parsed = parsed ?? parse(text);
  }

  get doc(): Document.Parsed {
    return (this.parsed ??= parse(this.text));
  }

  /** Give the document away, to be changed into that of another text. */
  release(): Document.Parsed {
    const { doc } = this;
    this.parsed = null;
    return doc;
  }

  get isBroken(): boolean {
    return this.doc.errors.length > 0;
  }

  /** What the text says as plain data; null where it cannot be told. */
  get data(): Value {
    try {
      return this.doc.toJS({ maxAliasCount: 10_000 }) as Value;
    } catch {
      return null;
    }
  }

  find(path: Path): unknown {
    let node: unknown = this.doc.contents;
    for (const key of path) {
      if (isMap(node)) node = findPair(node, key)?.value;
      else if (isCollection(node)) node = node.get(key, true);
      else return undefined;
    }
    return node;
  }

  /** The node that a path means, also through aliases and merge keys; undefined if there is none. */
  resolve(path: Path): unknown {
    return this.followAlias(path.reduce<unknown>((node, key) => this.resolveKey(node, key), this.doc.contents));
  }

  private resolveKey(from: unknown, key: string | number): unknown {
    const node = this.followAlias(from);
    if (!isMap(node)) return isCollection(node) ? node.get(key, true) : undefined;
    const own = findPair(node as YAMLMap, key);
    if (own) return own.value;
    const merged = node.items.filter((pair) => isPair(pair) && keyOf(pair) === "<<").map((pair) => this.followAlias(pair.value));
    for (const one of merged.flatMap((value) => (isSeq(value) ? value.items : [value]))) {
      const found = this.resolveKey(one, key);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  private followAlias(node: unknown): unknown {
    return isAlias(node) ? node.resolve(this.doc) : node;
  }

  findMap(path: Path): YAMLMap | undefined {
    const node = this.find(path);
    return isMap(node) ? (node as YAMLMap) : undefined;
  }

  findPair(path: Path): Pair | undefined {
    const map = this.findMap(path.slice(0, -1));
    return map && findPair(map, path.at(-1)!);
  }

  /** From the key to the end of what belongs to it, without the comments below. */
  findRange(path: Path): [number, number] | undefined {
    const pair = this.findPair(path);
    return pair && [startOf(pair), endOf(pair)];
  }

  /** True if a value at a path stands in braces or brackets, where more needs quotes. */
  isInFlow(path: Path): boolean {
    return path.some((_, k) => {
      const node = k ? this.find(path.slice(0, k)) : this.doc.contents;
      return isCollection(node) && node.flow === true;
    });
  }

  get newline(): string {
    return /\r\n/.test(this.text) ? "\r\n" : "\n";
  }
}

const parse = (text: string): Document.Parsed => parseDocument(text, { version: "1.2", merge: true, uniqueKeys: false, prettyErrors: false, logLevel: "silent", resolveKnownTags: false });

export const applyEdit = (text: string, edit: Edit) => text.slice(0, edit.from) + edit.insert + text.slice(edit.to);

export function findPair(map: YAMLMap, key: string | number): Pair | undefined {
  if (map.items.length < LONG) return map.items.find((pair) => isPair(pair) && keyOf(pair) === String(key));
  let index = indexes.get(map);
  if (!index) {
    index = new Map([...map.items].reverse().flatMap((pair): [string, Pair][] => (isPair(pair) ? [[keyOf(pair), pair]] : [])));
    indexes.set(map, index);
  }
  return index.get(String(key));
}

const LONG = 20;
/** The pairs of long mappings by key, the first of alike ones. */
const indexes = new WeakMap<YAMLMap, Map<string, Pair>>();

/** Have the pairs of a mapping found anew, as they have changed. */
export const forgetIndex = (map: YAMLMap): void => void indexes.delete(map);

export const keyOf = (pair: Pair): string => String(isScalar(pair.key) ? (pair.key.source ?? pair.key.value) : pair.key);
export const startOf = (pair: Pair): number => (pair.key as Scalar).range![0];
export const keyEndOf = (pair: Pair): number => (pair.key as Scalar).range![1];

/** The place after a pair's last character. A collection's own range takes in the comments below it, so it is that of its last item. */
export function endOf(pair: Pair): number {
  const end = endOfNode(pair.value as ParsedNode | null);
  return end > 0 ? end : keyEndOf(pair) + 1;
}

function endOfNode(node: ParsedNode | null): number {
  if (!node?.range) return 0;
  if (isCollection(node) && !node.flow && node.items.length) {
    const last = node.items.at(-1)!;
    return isPair(last) ? endOf(last as Pair) : endOfNode(last as ParsedNode);
  }
  return node.range[1] > node.range[0] ? node.range[1] : 0;
}

/** The end of the line in which `at` is; of a block scalar, which ends after its line break, `at` itself. */
export function lineEnd(text: string, at: number): number {
  if (text[at - 1] === "\n") return at;
  const found = text.indexOf("\n", at);
  if (found < 0) return text.length;
  return text[found - 1] === "\r" ? found - 1 : found;
}

export const lineStart = (text: string, at: number): number => text.lastIndexOf("\n", at - 1) + 1;
export const columnOf = (text: string, at: number): number => at - lineStart(text, at);
