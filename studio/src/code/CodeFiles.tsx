import { useState } from "react";
import { compareFiles } from "./diff";
import { FileList } from "./FileList";
import type { CodeSnapshot } from "./snapshots";

interface Props {
  own: CodeSnapshot;
  /** The code of the run before, if there is one. */
  before: CodeSnapshot | null;
}

/** The files of a code, all or only those that are not as they were in the run before. */
export function CodeFiles({ own, before }: Props) {
  const changes = compareFiles(before?.files ?? own.files, own.files);
  const differing = changes.filter(({ change }) => change !== "same");
  const [isOnlyChanged, setOnlyChanged] = useState(false);
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
      {shown.length > 0 && <FileList files={shown} before={before} after={own} names={["Run before", "This run"]} />}
    </>
  );
}
