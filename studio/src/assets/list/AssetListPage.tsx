import type { ReactNode } from "react";
import { listAssets, type AssetRow, type Kind } from "../../api/resources";
import { useQuery } from "../../api/useQuery";
import { useApi } from "../../shell/context";
import type { IconName } from "../../shell/icons";
import { Link } from "../../shell/Link";
import { buildPath, usePlace } from "../../shell/router";
import { formatAgo, formatTime } from "../../text/format";
import { ListPage } from "./ListPage";
import { ListTable, type Column } from "./ListTable";
import { buildListQuery, readListQuery } from "./query";

interface Props {
  kind: Kind;
  title: string;
  noun: string;
  icon: IconName;
  empty: ReactNode;
  actions?: ReactNode;
}

/** The list of a kind of asset that has versions. */
export function AssetListPage({ kind, title, noun, icon, empty, actions }: Props) {
  const api = useApi();
  const { query } = usePlace();
  const list = readListQuery(query);
  const sent = buildListQuery(list);
  const found = useQuery(`${api.own} ${kind} ${sent}`, () => listAssets(api, kind, sent));
  const now = Date.now() / 1000;
  const columns: Column<AssetRow>[] = [
    { name: "Name", sort: "name", look: "main", render: (row) => <NameCell row={row} to={buildPath(api.workspace.folder, kind, row.name)} /> },
    { name: "Version", render: (row) => <span className="mono">{row.version ?? "–"}</span> },
    { name: "Versions", sort: "versions", look: "number", render: (row) => row.versions },
    { name: "Type", sort: "type", render: (row) => <span className="muted">{row.type?.replaceAll("_", " ") ?? ""}</span> },
    { name: "Tags", look: "wide", render: (row) => <TagList tags={row.tags} /> },
    { name: "Owner", sort: "owner", look: "wide", render: (row) => <span className="muted">{row.owner}</span> },
    { name: "Changed", sort: "modified", render: (row) => (row.type === "built-in" ? <span className="muted">with smalt</span> : <span className="muted" title={formatTime(row.modified)}>{formatAgo(row.modified, now)}</span>) },
  ];
  return (
    <ListPage title={title} noun={noun} icon={icon} list={list} total={found.data?.total} error={found.error} retry={found.reload} types={found.data?.types} hasArchive actions={actions} empty={empty}>
      <ListTable label={title} columns={columns} rows={found.data?.assets ?? []} getKey={(row) => row.name} sort={list.sort} />
    </ListPage>
  );
}

function NameCell({ row, to }: { row: AssetRow; to: string }) {
  return (
    <span className="name-cell">
      <span><Link to={to}>{row.name}</Link>{(row.archived || row.version === null) && <span className="tag">archived</span>}</span>
      {row.description && <span className="sub">{row.description}</span>}
    </span>
  );
}

export function TagList({ tags }: { tags: Record<string, string> }) {
  return <span className="tag-list">{Object.entries(tags).map(([key, value]) => <span className="tag" key={key}>{value ? `${key}: ${value}` : key}</span>)}</span>;
}
