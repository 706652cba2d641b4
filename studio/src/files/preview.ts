import type { Reader } from "./tables/mltable";

/** How a file is shown, by its name and first bytes. */
export type PreviewKind = "image" | "table" | "mltable" | "json" | "page" | "text" | "none";

export const PREVIEW_BYTES = 128 * 1024;
const IMAGES = new Set(["png", "jpg", "jpeg", "gif", "webp", "bmp", "svg", "ico", "avif"]);
const SEPARATORS: Record<string, string> = { csv: ",", tsv: "\t", tab: "\t" };
const LINES = new Set(["jsonl", "ndjson"]);
const PAGES = new Set(["html", "htm"]);
const OTHERS = new Set(["pkl", "pickle", "joblib", "pt", "pth", "onnx", "zip", "gz", "tar", "npy", "npz", "h5", "bin", "pdf", "whl", "arrow", "feather"]);

const getExtension = (name: string): string => (/\.([A-Za-z0-9]+)$/.exec(name)?.[1] ?? "").toLowerCase();

export function choosePreview(name: string): PreviewKind {
  const extension = getExtension(name);
  if (IMAGES.has(extension)) return "image";
  if (name.split("/").at(-1) === "MLTable") return "mltable";
  if (chooseReader(name)) return "table";
  if (extension === "json" || extension === "ipynb") return "json";
  if (PAGES.has(extension)) return "page";
  return OTHERS.has(extension) ? "none" : "text";
}

/** How the rows of a file are read; null if it is no table. */
export function chooseReader(name: string): Reader | null {
  const extension = getExtension(name);
  if (extension === "parquet") return { kind: "parquet" };
  if (LINES.has(extension)) return { kind: "lines" };
  const separator = SEPARATORS[extension];
  return separator ? { kind: "delimited", separator, header: "all", isMultiLine: true, encoding: "utf-8" } : null;
}

/** True if the bytes are no text. */
export function isBinary(bytes: Uint8Array): boolean {
  return bytes.subarray(0, 4096).includes(0);
}

/** JSON as it is easier to read; text that is no JSON, or was cut off, as it is. */
export function formatJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
