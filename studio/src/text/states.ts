import type { State } from "../api/types";

/** The few appearances that the service's states have on a page. */
export type Look = "waiting" | "preparing" | "running" | "completed" | "failed" | "canceled";

const LOOKS: Record<State, Look> = {
  NotStarted: "waiting", Queued: "waiting", Paused: "waiting", Preparing: "preparing", Provisioning: "preparing",
  Starting: "preparing", Running: "running", Finalizing: "running", CancelRequested: "canceled", NotResponding: "failed",
  Completed: "completed", Failed: "failed", Canceled: "canceled",
};
const WORDS: Partial<Record<State, string>> = {
  NotStarted: "Not started", CancelRequested: "Canceling", NotResponding: "Not responding",
};

export const STATES = Object.keys(LOOKS) as State[];
export const getLook = (state: State): Look => LOOKS[state] ?? "waiting";
export const nameState = (state: State): string => WORDS[state] ?? state;
/** True before a job starts: it is not its turn, or what it needs is being made ready. */
export const isWaiting = (state: State): boolean => state === "NotStarted" || state === "Queued" || state === "Preparing";
export const isOver = (state: State): boolean => state === "Completed" || state === "Failed" || state === "Canceled";
