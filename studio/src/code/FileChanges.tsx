import { useQuery } from "../api/useQuery";
import { useApi } from "../shell/context";
import { ErrorMessage, Loading } from "../shell/messages";
import { compareFiles } from "./diff";
import { FileList } from "./FileList";
import { findCode } from "./snapshots";

const OPENED = 3;

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

/** The files that differ between the codes of two jobs; a few are open at first. */
export function FileChanges({ base, other, isSplit }: Props) {
  const api = useApi();
  const found = useQuery(`${api.own} snapshots ${base?.job} ${other?.job}`, () =>
    Promise.all([base && api.getSnapshot(base.job), other && api.getSnapshot(other.job)]),
  );
  if (found.error) return <ErrorMessage error={found.error} retry={found.reload} />;
  if (!found.data) return <Loading what="the files" />;
  const [before, after] = [base && findCode(api, found.data[0], base.job), other && findCode(api, found.data[1], other.job)];
  const changes = compareFiles(before?.files ?? [], after?.files ?? []).filter(({ change }) => change !== "same");
  if (!changes.length) return <p className="muted">Every file is the same.</p>;
  return <FileList files={changes} before={before ?? null} after={after ?? null} names={["First job", "Second job"]} isSplit={isSplit} isOpen={changes.length <= OPENED} />;
}
