import { useEffect, useState } from "react";
import type { TableContent } from "./collector";
import type { TableAnswer, TableTask } from "./table.worker";

/** Read a table in a worker of its own, which ends with the component. */
export function useTable(task: TableTask | null): { content: TableContent | null; error: Error | null } {
  const [found, setFound] = useState<{ key: string; answer: TableAnswer } | null>(null);
  const key = JSON.stringify(task);
  useEffect(() => {
    if (task === null) return;
    const worker = new Worker(new URL("./table.worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<TableAnswer>) => {
      setFound({ key, answer: data });
      if ("error" in data || !data.content.isCounting) worker.terminate();
    };
    worker.onerror = () => setFound({ key, answer: { error: "this table cannot be read here; load the page again" } });
    worker.postMessage(task);
    return () => worker.terminate();
  }, [key]);
  const answer = found?.key === key ? found.answer : null;
  return { content: answer && "content" in answer ? answer.content : null, error: answer && "error" in answer ? new Error(answer.error) : null };
}
