import { request } from "../api/client";
import type { GraphJob } from "../api/types";
import { useQuery } from "../api/useQuery";
import { parseColours } from "../log/ansi";
import { readEnd, splitLines } from "../log/tail";
import "../log/log.css";
import { useApi } from "../shell/context";

const BYTES = 8 * 1024;
const LINES = 14;
const scrollToEnd = (element: HTMLElement | null) => void (element && (element.scrollTop = element.scrollHeight));

/** The end of what a step wrote; of smalt's own log of it where it wrote nothing. */
export function LogExcerpt({ job, onOpen }: { job: GraphJob; onOpen: () => void }) {
  const api = useApi();
  const found = useQuery(`${api.own} ${job.name} ${job.status} excerpt`, async () => {
    for (const log of ["user_logs/std_log.txt", "system_logs/smalt.log"]) {
      const url = api.buildLogUrl(job.name, log);
      const piece = await readEnd((range) => request(url, { headers: { range } }), BYTES).catch(() => null);
      const lines = splitLines(piece?.text ?? "");
      if (lines.length) return { lines: lines.slice(-LINES), isWhole: lines.length <= LINES && piece?.from === 0 };
    }
    return null;
  });
  if (!found.data) return null;
  return (
    <section className="excerpt">
      <header><h3>{found.data.isWhole ? "Its log" : "The end of its log"}</h3><button className="button quiet small" onClick={onOpen}>Open the log</button></header>
      <pre tabIndex={0} ref={scrollToEnd}>
        {found.data.lines.map((line, k) => <span key={k} className="excerpt-line">{parseColours(line).map((span, i) => <span key={i} className={span.colour ? `ansi-${span.colour}` : undefined}>{span.text}</span>)}{"\n"}</span>)}
      </pre>
    </section>
  );
}
