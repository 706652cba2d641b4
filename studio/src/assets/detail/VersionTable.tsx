import type { Kind, Version } from "../../api/resources";
import { useApi } from "../../shell/context";
import { Link } from "../../shell/Link";
import { buildPath } from "../../shell/router";
import { formatTime } from "../../text/format";
import { TagList } from "../list/AssetListPage";
import { ListTable } from "../list/ListTable";

interface Props {
  kind: Kind;
  name: string;
  versions: Version[];
  isCut: boolean;
}

/** All versions of an asset. */
export function VersionTable({ kind, name, versions, isCut }: Props) {
  const api = useApi();
  return (
    <div className="wide-content">
      <ListTable
        label="Versions" rows={versions} getKey={(version) => version.name}
        columns={[
          { name: "Version", look: "main", render: (version) => (
            <span className="name-cell">
              <span><Link to={buildPath(api.workspace.folder, kind, name, version.name)}>{version.name}</Link>{version.properties.isArchived && <span className="tag">archived</span>}</span>
              {version.properties.description && <span className="sub">{version.properties.description}</span>}
            </span>
          ) },
          { name: "Tags", look: "wide", render: (version) => <TagList tags={version.properties.tags ?? {}} /> },
          { name: "Owner", look: "wide", render: (version) => <span className="muted">{version.systemData?.createdBy}</span> },
          { name: "Created", render: (version) => <span className="muted">{version.systemData && formatTime(Date.parse(version.systemData.createdAt) / 1000)}</span> },
        ]}
      />
      {isCut && <p className="muted">The newest {versions.length} are shown; all of them: smalt {kind === "data" ? "data" : kind.replace(/s$/, "")} list --name {name}</p>}
    </div>
  );
}
