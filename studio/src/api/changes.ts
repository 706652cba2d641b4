import { ApiError } from "./client";
import { readLines } from "./lines";
import type { WorkspaceApi } from "./workspace";

type Message<Row> = { t: "start"; after: number } | { t: "jobs"; after: number; jobs: Row[] } | { t: "tick" };

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;

/** Follow the jobs of a workspace, or one job and all below it, until the returned function is called.
 *
 * It tells what changed since `from`, which the answer with the first rows names. One stream stays open while the page is
 * seen; after a break, or when the page is seen again, it goes on from the last change. `onBreak` is told whether the stream is open, for a note on the page. */
export function followChanges<Row>(
  api: WorkspaceApi,
  job: string | null,
  from: number,
  onRows: (rows: Row[], after: number) => void,
  onBreak: (isOpen: boolean) => void = () => {},
): () => void {
  let after = from;
  let isOver = false;
  let pause = FIRST_PAUSE;
  let stream: AbortController | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function follow() {
    const own = (stream = new AbortController());
    try {
      const answer = await api.openChanges({ job: job ?? undefined, after }, own.signal);
      for await (const message of readLines<Message<Row>>(answer.body!)) {
        pause = FIRST_PAUSE;
        if (message.t === "start") onBreak(true);
        if (message.t !== "tick") after = message.after;
        if (message.t === "jobs") onRows(message.jobs, message.after);
      }
    } catch (error) {
      if (own.signal.aborted) return;
      if (error instanceof ApiError && error.status >= 400 && error.status < 500) return; // signed out, or deleted
    }
    if (isOver || own.signal.aborted) return;
    onBreak(false);
    timer = setTimeout(follow, pause);
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  }

  function watchVisibility() {
    stream?.abort();
    clearTimeout(timer);
    if (document.visibilityState === "visible") void follow();
  }

  document.addEventListener("visibilitychange", watchVisibility);
  watchVisibility();
  return () => {
    isOver = true;
    document.removeEventListener("visibilitychange", watchVisibility);
    clearTimeout(timer);
    stream?.abort();
  };
}
