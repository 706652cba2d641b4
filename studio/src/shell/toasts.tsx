import { useEffect, useSyncExternalStore } from "react";
import { Icon } from "./icons";

interface Note {
  text: string;
  isError: boolean;
}

let current: Note | null = null;
const listeners = new Set<() => void>();

function show(note: Note | null): void {
  current = note;
  listeners.forEach((listener) => listener());
}

export const tell = (text: string) => show({ text, isError: false });
export const tellError = (error: unknown) => show({ text: error instanceof Error ? error.message : String(error), isError: true });

/** Take back an error whose cause is mended: what it was said of has succeeded. */
export const dismissError = () => current?.isError && show(null);

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The last note about what was done or refused; an error stays until it is closed. */
export function Toast() {
  const note = useSyncExternalStore(subscribe, () => current);
  useEffect(() => {
    if (!note || note.isError) return;
    const timer = setTimeout(() => show(null), 5000);
    return () => clearTimeout(timer);
  }, [note]);
  if (!note) return null;
  return (
    <div className={note.isError ? "toast error" : "toast"} role={note.isError ? "alert" : "status"}>
      <Icon name={note.isError ? "alert" : "check"} />
      <div className="text">{note.text}</div>
      <button className="button quiet icon small" aria-label="Close" onClick={() => show(null)}><Icon name="close" size={14} /></button>
    </div>
  );
}
