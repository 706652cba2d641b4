import type { State } from "../api/types";
import { getLook, nameState, type Look } from "../text/states";

const MARKS: Record<Look, string> = {
  waiting: "M8 4.8V8l2.2 1.6",
  preparing: "M4.8 8h.01M8 8h.01M11.2 8h.01",
  running: "M8 2a6 6 0 0 1 6 6",
  completed: "m5 8.3 2.1 2.1L11.2 6",
  failed: "m5.7 5.7 4.6 4.6m0-4.6-4.6 4.6",
  canceled: "M5.2 8h5.6",
};

/** A state's mark: its form tells it from the others, not its colour alone. */
export function StateIcon({ state, size = 16 }: { state: State; size?: number }) {
  const look = getLook(state);
  return (
    <svg className={`state-icon look-${look}${look === "running" ? " turning" : ""}`} width={size} height={size} viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth={look === "preparing" ? 2.2 : 1.7} strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
      <circle cx="8" cy="8" r="6" opacity={look === "running" ? 0.28 : 1} strokeWidth="1.5" />
      <path d={MARKS[look]} />
    </svg>
  );
}

export function StateBadge({ state }: { state: State }) {
  return (
    <span className={`badge look-${getLook(state)}`} data-state={state}>
      <StateIcon state={state} size={14} />
      {nameState(state)}
    </span>
  );
}
