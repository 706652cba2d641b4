export interface DiskItem {
  workspace: string | null;
  kind: string;
  bytes: number;
}

export interface DiskUsage {
  items: DiskItem[] | null;
  counted: number | null;
  took: number;
  counting: boolean;
  disk: { free: number; size: number; full: boolean };
}

export interface WorkspaceUsage {
  /** null for what all workspaces share. */
  workspace: string | null;
  bytes: number;
  items: DiskItem[];
}

/** The items by workspace, the largest first. */
export function groupByWorkspace(items: DiskItem[]): WorkspaceUsage[] {
  const groups = new Map<string | null, WorkspaceUsage>();
  for (const item of items) {
    const group = groups.get(item.workspace) ?? { workspace: item.workspace, bytes: 0, items: [] };
    group.bytes += item.bytes;
    group.items.push(item);
    groups.set(item.workspace, group);
  }
  const sorted = [...groups.values()].sort((a, b) => b.bytes - a.bytes);
  for (const group of sorted) group.items.sort((a, b) => b.bytes - a.bytes);
  return sorted;
}

const WORDS: Record<string, string> = {
  environments: "built environments", snapshots: "code of jobs", cache: "fetched data", "smalt.db": "records", jobs: "working folders of jobs", tools: "tools that smalt installed", "server.log": "the server's log", endpoints: "online endpoints",
};

export const nameKind = (kind: string): string => WORDS[kind] ?? kind;
