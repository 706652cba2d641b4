import type { Positions } from "./routes";

/** Where this browser keeps the places of a file's nodes: they are no part of the file, and a draft keeps its own. */
const keyOf = (workspace: string, path: string) => `smalt.drawing.${workspace}.${path}`;

export function readPositions(workspace: string, path: string): Positions {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(keyOf(workspace, path)) ?? "{}");
    return found !== null && typeof found === "object" ? (found as Positions) : {};
  } catch {
    return {};
  }
}

export function keepPositions(workspace: string, path: string, positions: Positions): void {
  if (Object.keys(positions).length) localStorage.setItem(keyOf(workspace, path), JSON.stringify(positions));
  else localStorage.removeItem(keyOf(workspace, path));
}
