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

const SMALL = 1_000_000;
const REST = "smaller files";

/** The items by workspace, the largest first; those of the same name, and the small files that all workspaces share, are one item. */
export function groupByWorkspace(items: DiskItem[]): WorkspaceUsage[] {
  const groups = new Map<string | null, Map<string, number>>();
  for (const { workspace, kind, bytes } of items) {
    const group = groups.get(workspace) ?? new Map<string, number>();
    const name = nameKind(kind);
    const shown = workspace === null && bytes < SMALL && name === kind ? REST : name;
    group.set(shown, (group.get(shown) ?? 0) + bytes);
    groups.set(workspace, group);
  }
  const made = [...groups].map(([workspace, sizes]) => {
    const sorted = [...sizes].map(([kind, bytes]) => ({ workspace, kind, bytes })).sort((a, b) => b.bytes - a.bytes);
    return { workspace, bytes: sorted.reduce((sum, item) => sum + item.bytes, 0), items: sorted };
  });
  return made.sort((a, b) => b.bytes - a.bytes);
}

const WORDS: Record<string, string> = {
  environments: "built environments", snapshots: "code of jobs", cache: "fetched data", "smalt.db": "records", "smalt.db-wal": "records", "smalt.db-shm": "records", reserve: "reserve for a full disk", mlflow: "tracking", jobs: "working folders of jobs", tools: "tools that smalt installed", "server.log": "the server's log", endpoints: "online endpoints",
};

export const nameKind = (kind: string): string => WORDS[kind] ?? kind;
