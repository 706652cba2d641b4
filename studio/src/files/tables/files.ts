import type { FileItem } from "../../api/types";
import { matchPattern, type MLTablePlan } from "./mltable";

/** The folder in which a file lies. */
export interface Folder {
  list: (path: string) => Promise<{ value: FileItem[]; nextLink?: string }>;
  buildUrl: (path: string) => string;
}

export interface TableFile {
  url: string;
  name: string;
  size: number;
}

const MOST_FILES = 200;
const MOST_FOLDERS = 100;

export interface FoundFiles {
  files: TableFile[];
  /** Paths that a page cannot follow. */
  elsewhere: string[];
  isCut: boolean;
}

/** The files that an MLTable names, in its order and by name; `base` is its own folder below the data's. */
export async function findFiles(plan: MLTablePlan, folder: Folder, base: string): Promise<FoundFiles> {
  const found: FoundFiles = { files: [], elsewhere: [], isCut: false };
  for (const { kind, path } of plan.paths) {
    const plain = path.replace(/^file:\/\/(?=\.)/, "").replace(/^\.\//, "");
    if (/^[a-z][a-z0-9+.-]*:/i.test(plain) || plain.startsWith("/") || plain.split("/").includes("..")) {
      found.elsewhere.push(path);
      continue;
    }
    const fixed = kind === "pattern" ? plain.slice(0, plain.search(/[*?[]|$/)).replace(/[^/]*$/, "") : plain;
    const isWanted = kind === "pattern" ? (name: string) => matchPattern(join(base, plain), name) : () => true;
    await walk(folder, join(base, fixed), isWanted, found);
  }
  return found;
}

async function walk(folder: Folder, top: string, isWanted: (path: string) => boolean, found: FoundFiles): Promise<void> {
  const open = [top];
  for (let count = 0; open.length; count++) {
    if (count >= MOST_FOLDERS || found.files.length >= MOST_FILES) return void (found.isCut = true);
    const { value, nextLink } = await folder.list(open.shift()!);
    if (nextLink) found.isCut = true;
    const inner: string[] = [];
    for (const { path, size, is_dir } of [...value].sort((a, b) => (a.path < b.path ? -1 : 1))) {
      if (is_dir) inner.push(path);
      else if (path.split("/").at(-1) !== "MLTable" && isWanted(path)) found.files.push({ url: folder.buildUrl(path), name: path, size });
    }
    open.unshift(...inner);
  }
}

/** A path of parts, without empty ones. */
export const join = (...parts: string[]): string => parts.flatMap((part) => part.split("/")).filter((part) => part && part !== ".").join("/");
