import type { DesignerStore } from "./store";

/** A document that was left with changes which are saved nowhere. */
export interface Unsaved {
  /** The query of its address: `file=…`, `draft=…`, `new=…`. */
  query: string;
  store: DesignerStore;
}

/** Documents that were left with changes, by workspace and query: coming back finds them again. */
const unsaved = new Map<string, Map<string, DesignerStore>>();

export const findUnsaved = (workspace: string, query: string): DesignerStore | undefined => unsaved.get(workspace)?.get(query);

export const listUnsaved = (workspace: string): Unsaved[] => [...(unsaved.get(workspace) ?? [])].map(([query, store]) => ({ query, store }));

export function keepUnsaved(workspace: string, query: string, store: DesignerStore): void {
  if (!unsaved.has(workspace)) unsaved.set(workspace, new Map());
  const isUntouched = store.origin.kind === "new" && !store.canUndo;
  if ((store.isChanged && !isUntouched) || store.refused.length) unsaved.get(workspace)!.set(query, store);
  else dropUnsaved(workspace, query);
}

export const dropUnsaved = (workspace: string, query: string): void => void unsaved.get(workspace)?.delete(query);

/** Ask before the browser leaves the studio, on whatever page it is. */
export function guardUnsaved(event: BeforeUnloadEvent): void {
  if ([...unsaved.values()].some((documents) => documents.size)) event.preventDefault();
}
