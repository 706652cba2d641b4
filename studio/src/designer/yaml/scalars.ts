import { isScalar } from "yaml";
import type { Path, Source } from "./source";

/** The type that a plain word has for smalt and Azure's tools, which read YAML 1.1; `1e-3`, a text there, counts as the number that it is meant as. */
export function inferType(text: string): "integer" | "number" | "boolean" | "string" {
  if (INTEGER.test(text)) return "integer";
  if (NUMBER.test(text)) return "number";
  return BOOLEAN.test(text) ? "boolean" : "string";
}

const INTEGER = /^[-+]?(0b[01_]+|0[0-7_]+|0|[1-9][\d_]*|0x[\da-fA-F_]+)$/;
const NUMBER = /^[-+]?(\d[\d_]*\.[\d_]*|\.\d[\d_]*|\d[\d_]*(?=e))(e[-+]?\d+)?$|^[-+]?\.inf$|^\.nan$/i;
const BOOLEAN = /^(yes|no|true|false|on|off)$/i;

/** A number, boolean or word as it is written without quotes; null for anything else at a path. */
export function readPlainText(source: Source, path: Path): string | null {
  const node = source.find(path);
  if (!isScalar(node) || node.type !== "PLAIN" || node.tag || !node.range) return null;
  const text = source.text.slice(node.range[0], node.range[1]);
  return /^[-+.\w]+$/.test(text) ? text : null;
}

/** A plain number as YAML 1.1 reads it: `1_000`, and `012` in base 8. */
export function readNumber(text: string): number {
  const plain = text.replaceAll("_", "").toLowerCase();
  const [, sign, digits] = /^([-+]?)(.*)$/.exec(plain)!;
  return Number(/^0[0-7]+$/.test(digits) ? parseInt(digits, 8) : digits) * (sign === "-" ? -1 : 1);
}
