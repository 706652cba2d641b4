import { useState } from "react";
import { Icon } from "../shell/icons";
import { lazy } from "../shell/lazyPart";
import { formatBytes, pluralize } from "../text/format";
import { CodeText } from "./CodeText";
import { compareFiles, type CodeFile, type FileChange } from "./diff";
import "./code.css";

const FileDiff = lazy(() => import("./FileDiff"));

export interface CodeSnapshot {
  files: CodeFile[];
  buildUrl: (path: string) => string;
}

interface Props {
  own: CodeSnapshot;
  /** The code of the run before, if there is one. */
  before: CodeSnapshot | null;
}

/** The files of a snapshot, each with its content and what has changed in it. */
export function CodeFiles({ own, before }: Props) {
  const changes = compareFiles(before?.files ?? own.files, own.files);
  const differing = changes.filter(({ change }) => change !== "same");
  const [isOnlyChanged, setOnlyChanged] = useState(false);
  const [open, setOpen] = useState<string | null>(null);
  const shown = isOnlyChanged ? differing : [...changes].sort((a, b) => (a.path < b.path ? -1 : 1));
  return (
    <>
      {before && (
        <div className="code-bar">
          <div className="segments" role="group" aria-label="Which files">
            <button className="button small" aria-pressed={!isOnlyChanged} onClick={() => setOnlyChanged(false)}>All files</button>
            <button className="button small" aria-pressed={isOnlyChanged} onClick={() => setOnlyChanged(true)}>Changed ({differing.length})</button>
          </div>
          {!differing.length && <span className="muted">The code is the same.</span>}
        </div>
      )}
      <ul className="code-files">
        {shown.map((one) => (
          <li key={one.path}>
            <button aria-expanded={open === one.path} onClick={() => setOpen(open === one.path ? null : one.path)}>
              <Icon name="file" size={14} />
              <span className="mono">{one.path}</span>
              {one.change !== "same" && <span className={`change ${one.change}`}>{one.change}</span>}
              <span className="muted number">{formatBytes((one.after ?? one.before)?.size ?? 0)}</span>
            </button>
            {open === one.path && <OneFile file={one} own={own} before={before} />}
          </li>
        ))}
      </ul>
      {isOnlyChanged && !shown.length && <p className="muted">{pluralize(own.files.length, "file")}, and each is as it was.</p>}
    </>
  );
}

function OneFile({ file, own, before }: { file: FileChange } & Props) {
  const [isWhole, setWhole] = useState(file.change === "same" || file.change === "added");
  const earlier = before && file.before ? before.buildUrl(file.path) : null;
  const later = file.after ? own.buildUrl(file.path) : null;
  if ((file.after ?? file.before)?.kind === "l") return <p className="muted">A link.</p>;
  return (
    <div className="code-file">
      {file.change === "changed" && (
        <div className="segments" role="group" aria-label={`View of ${file.path}`}>
          <button className="button small" aria-pressed={!isWhole} onClick={() => setWhole(false)}>Changes</button>
          <button className="button small" aria-pressed={isWhole} onClick={() => setWhole(true)}>Whole file</button>
        </div>
      )}
      {isWhole && later ? <CodeText url={later} name={file.path} /> : <FileDiff path={file.path} baseUrl={earlier} otherUrl={later} size={Math.max(file.before?.size ?? 0, file.after?.size ?? 0)} isSplit={false} />}
    </div>
  );
}
