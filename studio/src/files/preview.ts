/** How a file is shown, by its name and first bytes. */
export type PreviewKind = "image" | "table" | "json" | "page" | "text" | "none";

export const PREVIEW_BYTES = 128 * 1024;
const IMAGES = new Set(["png", "jpg", "jpeg", "gif", "webp", "bmp", "svg", "ico", "avif"]);
const TABLES: Record<string, string> = { csv: ",", tsv: "\t", tab: "\t" };
const PAGES = new Set(["html", "htm"]);
const OTHERS = new Set(["parquet", "pkl", "pickle", "joblib", "pt", "pth", "onnx", "zip", "gz", "tar", "npy", "npz", "h5", "bin", "pdf", "whl", "arrow", "feather"]);

const getExtension = (name: string): string => (/\.([A-Za-z0-9]+)$/.exec(name)?.[1] ?? "").toLowerCase();

export function choosePreview(name: string): PreviewKind {
  const extension = getExtension(name);
  if (IMAGES.has(extension)) return "image";
  if (extension in TABLES) return "table";
  if (extension === "json" || extension === "ipynb") return "json";
  if (PAGES.has(extension)) return "page";
  return OTHERS.has(extension) ? "none" : "text";
}

export const getSeparator = (name: string): string => TABLES[getExtension(name)] ?? ",";

/** True if the bytes are no text. */
export function isBinary(bytes: Uint8Array): boolean {
  return bytes.subarray(0, 4096).includes(0);
}

/** The rows of a text with separators; quotes may hold separators and line ends. A last row that is cut off is dropped. */
export function parseTable(text: string, separator: string, isCut: boolean, most = 500): string[][] {
  const rows: string[][] = [];
  let [row, cell, isQuoted]: [string[], string, boolean] = [[], "", false];
  const endRow = () => {
    row.push(cell);
    if (row.length > 1 || row[0] !== "") rows.push(row);
    [row, cell] = [[], ""];
  };
  for (let at = 0; at < text.length && rows.length < most; at++) {
    const character = text[at];
    if (isQuoted) {
      if (character !== '"') cell += character;
      else if (text[at + 1] === '"') [cell, at] = [cell + '"', at + 1];
      else isQuoted = false;
    } else if (character === '"' && cell === "") isQuoted = true;
    else if (character === separator) [cell] = [(row.push(cell), "")];
    else if (character === "\n") endRow();
    else if (character !== "\r") cell += character;
  }
  if (!isCut && rows.length < most && (row.length || cell)) endRow();
  return rows;
}

/** JSON as it is easier to read; text that is no JSON, or was cut off, as it is. */
export function formatJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
