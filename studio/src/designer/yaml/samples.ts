import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** The YAML files below a folder, for tests. */
export function listFiles(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? (name.startsWith(".") ? [] : listFiles(path)) : /\.ya?ml$/.test(name) ? [path] : [];
  });
}
