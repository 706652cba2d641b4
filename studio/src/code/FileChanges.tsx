import { lazy, Suspense, useState } from "react";
import { useQuery } from "../api/useQuery";
import { useApi } from "../shell/context";
import { Icon } from "../shell/icons";
import { ErrorMessage, Loading } from "../shell/messages";
import { formatBytes } from "../text/format";
import { compareFiles, type FileChange } from "./diff";
import { describeKind, findCode } from "./snapshots";
import "./code.css";

const FileDiff = lazy(() => import("./FileDiff"));
const MOST = 500;
const OPENED = 3;
const MARKS = { added: ["plus", "added"], removed: ["minus", "removed"], changed: ["compare", "changed"] } as const;

/** A job that ran a code, and the hash of it. */
export interface CodeSide {
  job: string;
  hash: string;
}

interface Props {
  base: CodeSide | undefined;
  other: CodeSide | undefined;
  isSplit: boolean;
}

/** The files that differ between two codes; each opens to its lines. */
export function FileChanges({ base, other, isSplit }: Props) {
  const api = useApi();
  const found = useQuery(`${api.own} snapshots ${base?.job} ${other?.job}`, () =>
    Promise.all([base && api.getSnapshot(base.job), other && api.getSnapshot(other.job)]),
  );
  if (found.error) return <ErrorMessage error={found.error} retry={found.reload} />;
  if (!found.data) return <Loading what="the files" />;
  const [one, two] = [findCode(found.data[0], base?.job), findCode(found.data[1], other?.job)];
  const changes = compareFiles(one.files, two.files).filter((file) => file.change !== "same");
  const [before, after] = [base && { job: base.job, hash: one.hash }, other && { job: other.job, hash: two.hash }];
  if (!changes.length) return <p className="muted">Every file is the same.</p>;
  return (
    <div className="file-changes">
      {changes.slice(0, MOST).map((file) => <FileRow key={file.path} file={file} base={before} other={after} isSplit={isSplit} isFirst={changes.length <= OPENED} />)}
      {changes.length > MOST && <p className="muted">{changes.length - MOST} more files differ; fetch both codes with <code>smalt job snapshot</code>.</p>}
    </div>
  );
}

function FileRow({ file, base, other, isSplit, isFirst }: Props & { file: FileChange; isFirst: boolean }) {
  const api = useApi();
  const [isOpen, setOpen] = useState(isFirst);
  const [icon, word] = MARKS[file.change as keyof typeof MARKS];
  const note = describeKind(file);
  const [before, after] = [file.before, file.after].map((one) => (one && one.kind !== "l" && one.kind !== "d" ? one : undefined));
  return (
    <section className={`file-change card ${file.change}`}>
      <h3>
        <button className="file-head" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          <Icon name={isOpen ? "down" : "right"} size={14} />
          <span className="file-kind"><Icon name={icon} size={12} />{word}</span>
          <span className="mono path">{file.path}</span>
          {note && <span className="muted">{note}</span>}
          <span className="muted number sizes">{describeSizes(file)}</span>
        </button>
      </h3>
      {isOpen && (before || after) && (
        <Suspense fallback={<Loading what="the lines" />}>
          <FileDiff path={file.path} baseUrl={base && before ? api.buildCodeFileUrl(base.job, base.hash, file.path) : null} otherUrl={other && after ? api.buildCodeFileUrl(other.job, other.hash, file.path) : null} size={Math.max(before?.size ?? 0, after?.size ?? 0)} isSplit={isSplit} />
        </Suspense>
      )}
    </section>
  );
}

function describeSizes({ before, after }: FileChange): string {
  const sizes = [before, after].flatMap((file) => (file && file.kind !== "l" && file.kind !== "d" ? [formatBytes(file.size)] : []));
  return [...new Set(sizes)].join(" → ");
}
