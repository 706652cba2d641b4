import { useState } from "react";
import { Icon } from "../shell/icons";
import { lazy } from "../shell/lazyPart";
import { formatBytes } from "../text/format";
import { CodeText } from "./CodeText";
import type { CodeFile, FileChange } from "./diff";
import { describeKind, type CodeSnapshot } from "./snapshots";
import "./code.css";

const FileDiff = lazy(() => import("./FileDiff"));
const MOST = 500;
const MARKS = { added: "plus", removed: "minus", changed: "compare" } as const;

interface Props {
  before: CodeSnapshot | null;
  after: CodeSnapshot | null;
  /** The names of the two codes. */
  names: [string, string];
  isSplit?: boolean;
}

/** The files of a code, each with what became of it; a file opens to what differs in it, or to its text. */
export function FileList({ files, isOpen = false, ...props }: Props & { files: FileChange[]; isOpen?: boolean }) {
  return (
    <>
      <ul className="file-list">
        {files.slice(0, MOST).map((file) => <FileRow key={file.path} file={file} isOpenFirst={isOpen} {...props} />)}
      </ul>
      {files.length > MOST && <p className="muted">The first {MOST} of {files.length} files are listed; fetch the rest with <code>smalt job snapshot</code>.</p>}
    </>
  );
}

function FileRow({ file, isOpenFirst, ...props }: Props & { file: FileChange; isOpenFirst: boolean }) {
  const [isOpen, setOpen] = useState(isOpenFirst);
  const note = describeKind(file);
  const sizes = [file.before, file.after].filter(hasContent).map(({ size }) => formatBytes(size));
  const head = (
    <>
      {file.change !== "same" && <span className="file-mark"><Icon name={MARKS[file.change]} size={12} />{file.change}</span>}
      <span className="mono path">{file.path}</span>
      {note && <span className="muted">{note}</span>}
      <span className="muted number">{[...new Set(sizes)].join(" → ")}</span>
    </>
  );
  if (!sizes.length) return <li className={file.change}><div className="file-head">{head}</div></li>;
  return (
    <li className={file.change}>
      <button className="file-head" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <Icon name={isOpen ? "down" : "right"} size={14} />
        {head}
      </button>
      {isOpen && <FileContent file={file} {...props} />}
    </li>
  );
}

function FileContent({ file, before, after, names, isSplit = false }: Props & { file: FileChange }) {
  const [isWhole, setWhole] = useState(file.change === "same");
  const baseUrl = before && hasContent(file.before) ? before.buildUrl(file.path) : null;
  const otherUrl = after && hasContent(file.after) ? after.buildUrl(file.path) : null;
  return (
    <>
      {file.change === "changed" && otherUrl && (
        <div className="segments file-view" role="group" aria-label={`View of ${file.path}`}>
          <button className="button small" aria-pressed={!isWhole} onClick={() => setWhole(false)}>Changes</button>
          <button className="button small" aria-pressed={isWhole} onClick={() => setWhole(true)}>Whole file</button>
        </div>
      )}
      {isWhole && otherUrl
        ? <CodeText url={otherUrl} name={file.path} />
        : <FileDiff path={file.path} baseUrl={baseUrl} otherUrl={otherUrl} size={Math.max(file.before?.size ?? 0, file.after?.size ?? 0)} names={names} isSplit={isSplit} />}
    </>
  );
}

/** True of a file with text or bytes: neither a link nor an empty folder. */
function hasContent(file: CodeFile | undefined): file is CodeFile {
  return file !== undefined && file.kind !== "l" && file.kind !== "d";
}
