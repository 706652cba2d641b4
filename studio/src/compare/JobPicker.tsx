import { useEffect, useRef, useState } from "react";
import { useQuery } from "../api/useQuery";
import { useApi } from "../shell/context";
import { ErrorMessage } from "../shell/messages";
import { StateIcon } from "../shell/StateBadge";
import { useNow } from "../shell/useNow";
import { formatAgo } from "../text/format";

const PAUSE = 120;
const MOST = "30";

interface Props {
  chosen: string[];
  /** Jobs of this experiment are offered as long as nothing is typed. */
  experiment: string | undefined;
  onChoose: (name: string) => void;
  onClose: () => void;
}

/** Finds a job to be added, by the words of its name or experiment. */
export function JobPicker({ chosen, experiment, onChoose, onClose }: Props) {
  const api = useApi();
  const dialog = useRef<HTMLDialogElement>(null);
  const now = useNow(30);
  const [text, setText] = useState("");
  const [wanted, setWanted] = useState("");
  useEffect(() => dialog.current?.showModal(), []);
  useEffect(() => {
    const timer = setTimeout(() => setWanted(text), PAUSE);
    return () => clearTimeout(timer);
  }, [text]);
  const query = new URLSearchParams({ limit: MOST, view: "all", ...(wanted ? { search: wanted } : experiment ? { experiment } : {}) });
  const found = useQuery(`${api.own} ${query}`, () => api.listJobs(query));
  const rows = (found.data?.jobs ?? []).filter((row) => !chosen.includes(row.name));
  return (
    <dialog ref={dialog} className="dialog picker" aria-labelledby="picker-title" onClose={onClose} onClick={(event) => event.target === dialog.current && dialog.current?.close()}>
      <h2 id="picker-title">Add a job</h2>
      <input className="field" type="search" value={text} onChange={(event) => setText(event.target.value)} placeholder="Words of its name or experiment" aria-label="Words of its name or experiment" autoFocus />
      {!wanted && experiment && <p className="muted">The newest of experiment {experiment}:</p>}
      {found.error && <ErrorMessage error={found.error} />}
      <ul className="picker-list">
        {rows.map((row) => (
          <li key={row.name}>
            <button onClick={() => { onChoose(row.name); dialog.current?.close(); }}>
              <StateIcon state={row.status} />
              <span className="name">{row.display_name ?? row.name}</span>
              <span className="muted">{row.display_name ? row.name : row.experiment}</span>
              <span className="muted number">{formatAgo(row.created, now)}</span>
            </button>
          </li>
        ))}
        {found.data && !rows.length && <li className="muted">No other job matches.</li>}
      </ul>
      <div className="dialog-actions"><button className="button" onClick={() => dialog.current?.close()}>Close</button></div>
    </dialog>
  );
}
