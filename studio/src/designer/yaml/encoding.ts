/** A file's bytes as a text for an editor, and back without a change of what nobody edited. */
export interface FileText {
  /** Line breaks are \n if the file has \r\n at every line; else they are as in the file. */
  text: string;
  hasMark: boolean;
  newline: "\n" | "\r\n";
}

const MARK = "\ufeff";

export function decodeFile(bytes: Uint8Array): FileText {
  let whole: string;
  try {
    whole = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Error("the file is not UTF-8 text; convert it to UTF-8 first");
  }
  return splitText(whole);
}

export function splitText(whole: string): FileText {
  const hasMark = whole.startsWith(MARK);
  const text = hasMark ? whole.slice(1) : whole;
  const isDos = text.includes("\r\n") && !/(^|[^\r])\n|\r(?!\n)/.test(text);
  return { text: isDos ? text.replaceAll("\r\n", "\n") : text, hasMark, newline: isDos ? "\r\n" : "\n" };
}

export function joinText({ text, hasMark, newline }: FileText): string {
  return (hasMark ? MARK : "") + (newline === "\r\n" ? text.replaceAll("\n", "\r\n") : text);
}

export const encodeFile = (file: FileText): Uint8Array<ArrayBuffer> => new TextEncoder().encode(joinText(file)) as Uint8Array<ArrayBuffer>;
