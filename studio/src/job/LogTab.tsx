import { useCallback, useState } from "react";
import { searchLog } from "../api/details";
import type { GraphJob } from "../api/types";
import { LogView } from "../log/LogView";
import type { SearchLog } from "../log/useLogSearch";
import { useApi } from "../shell/context";
import { isOver } from "../text/states";

const LOGS = { "user_logs/std_log.txt": "Output", "system_logs/smalt.log": "smalt's log" } as const;
type Log = keyof typeof LOGS;

/** A step's output and smalt's own log of it; a reused step has the output of the earlier job. */
export function LogTab({ job }: { job: GraphJob }) {
  const api = useApi();
  const [log, setLog] = useState<Log>(job.composite ? "system_logs/smalt.log" : "user_logs/std_log.txt");
  const writer = job.reused && log.startsWith("user_logs") ? job.reused : job.name;
  const search: SearchLog = useCallback((text, from, line, signal) => searchLog(api, writer, { file: log, text, from, line, limit: 1000 }, signal), [api, writer, log]);
  return (
    <div className="log-tab">
      <div className="choice-bar" role="group" aria-label="Which log">
        {(Object.keys(LOGS) as Log[]).map((key) => <button key={key} className="button small" aria-pressed={log === key} onClick={() => setLog(key)}>{LOGS[key]}</button>)}
        {writer !== job.name && <span className="muted">of job {writer}, whose outputs it took</span>}
      </div>
      <LogView key={`${writer} ${log}`} url={api.buildLogUrl(writer, log)} isGrowing={!isOver(job.status)} name={`${job.label || job.name}.txt`} search={search} />
    </div>
  );
}
