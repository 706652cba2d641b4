import { useSyncExternalStore } from "react";

/** Addresses below /studio: /WORKSPACE/PAGE/…?query. */
export interface Place {
  workspace: string;
  page: string;
  rest: string[];
  query: URLSearchParams;
}

export const PREFIX = "/studio";

export function parsePlace(pathname: string, search: string): Place {
  const parts = pathname.startsWith(PREFIX) ? pathname.slice(PREFIX.length).split("/").filter(Boolean) : [];
  const [workspace = "", page = "", ...rest] = parts.map(decode);
  return { workspace, page, rest, query: new URLSearchParams(search) };
}

export function buildPath(workspace: string, ...parts: string[]): string {
  return [PREFIX, workspace, ...parts].map((part, k) => (k ? encodeURIComponent(part) : part)).join("/");
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

const listeners = new Set<() => void>();
const announce = () => listeners.forEach((listener) => listener());
let place: Place | null = null;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function getPlace(): Place {
  return (place ??= parsePlace(location.pathname, location.search));
}

export function usePlace(): Place {
  return useSyncExternalStore(subscribe, getPlace);
}

export function go(path: string, options: { replace?: boolean } = {}): void {
  if (path === location.pathname + location.search) return;
  history[options.replace ? "replaceState" : "pushState"](null, "", path);
  place = null;
  announce();
}

/** Change some parameters of the address; null removes one. */
export function setQuery(changes: Record<string, string | string[] | null>, options: { replace?: boolean } = {}): void {
  const query = new URLSearchParams(location.search);
  for (const [key, value] of Object.entries(changes)) {
    query.delete(key);
    for (const one of value === null ? [] : [value].flat()) query.append(key, one);
  }
  const text = query.toString();
  go(location.pathname + (text ? `?${text}` : ""), options);
}

if (typeof window !== "undefined") {
  window.addEventListener("popstate", () => {
    place = null;
    announce();
  });
}
