import { buildUrl, get } from "../../api/client";
import { joinPath } from "../../api/resources";
import type { SnapshotFile } from "../../api/types";
import { useQuery } from "../../api/useQuery";
import { CodeFiles } from "../../code/CodeFiles";
import { listFiles } from "../../code/snapshots";
import { useApi } from "../../shell/context";
import { ErrorMessage, Loading } from "../../shell/messages";
import { formatBytes, pluralize } from "../../text/format";
import { Panel } from "../detail/Facts";

interface Code {
  hash: string;
  bytes: number;
  files: SnapshotFile[];
}

/** The files of a component's code, each with its content. */
export default function CodePanel({ id }: { id: string }) {
  const api = useApi();
  const [, name, version] = /\/codes\/([^/]+)\/versions\/([^/]+)$/.exec(id) ?? /^azureml:([^:/]+):([^:/]+)$/.exec(id) ?? [];
  const base = `${api.own}/${joinPath("codes", name ?? "", "versions", version ?? "")}`;
  const found = useQuery(name ? base : null, () => get<Code>(`${base}/files`));
  if (!name) return <p className="muted">Its code is at {id}, and taken when a job runs it.</p>;
  if (found.error) return <ErrorMessage error={found.error} retry={found.reload} />;
  if (!found.data) return <Loading what="the code" />;
  const { files, bytes } = found.data;
  return (
    <Panel title={`${pluralize(files.length, "file")}, ${formatBytes(bytes)}`}>
      <CodeFiles own={{ files: listFiles(files), buildUrl: (path) => buildUrl(`${base}/file`, { path }) }} before={null} />
    </Panel>
  );
}
