import { useEffect, type ReactNode } from "react";
import { getContainer, listAssets, listVersions, setArchived, type Kind, type Version } from "../../api/resources";
import { useQuery } from "../../api/useQuery";
import { offerCommands } from "../../shell/commands";
import { useApi } from "../../shell/context";
import { DeadEnd } from "../../shell/DeadEnd";
import { Icon } from "../../shell/icons";
import { Link } from "../../shell/Link";
import { Empty, Loading } from "../../shell/messages";
import { buildPath, go, usePlace } from "../../shell/router";
import { tell, tellError } from "../../shell/toasts";
import { formatTime } from "../../text/format";
import { TagList } from "../list/AssetListPage";
import { DetailPage, type DetailTab } from "./DetailPage";
import { Facts, type Fact } from "./Facts";
import { VersionTable } from "./VersionTable";
import { chooseVersion } from "./versions";

interface Props {
  kind: Kind;
  list: string;
  /** The tabs of a version, the first of which is what it is. */
  makeTabs: (version: Version, name: string) => DetailTab[];
}

/** The page of an asset with versions: one of them, and how to come to the others. */
export function VersionPage({ kind, list, makeTabs }: Props) {
  const api = useApi();
  const { rest } = usePlace();
  const [name, wanted = null] = rest;
  const found = useQuery(`${api.own} ${kind} ${name} versions`, () => listVersions(api, kind, name));
  const whole = useQuery(`${api.own} ${kind} ${name}`, () => getContainer(api, kind, name));
  const error = whole.error ?? found.error;
  const retry = () => void [whole.reload(), found.reload()];
  if (error) return <DeadEnd error={error} retry={retry} noun={kind === "data" ? "data asset" : kind.slice(0, -1)} name={name} icon="alert" list={{ name: list, path: kind }} />;
  if (!found.data || !whole.data) return <Loading what={name} />;
  const versions = found.data.value;
  const version = chooseVersion(versions, wanted);
  if (!version) {
    const words = versions.length ? `'${name}' has no version '${wanted}'; its versions are ${versions.slice(0, 5).map((one) => one.name).join(", ")}` : `'${name}' has no version`;
    return (
      <div className="center">
        <Empty icon="alert" title={words}>
          <p className="ways">
            {versions.length > 0 && <Link className="button" to={buildPath(api.workspace.folder, kind, name)}>The newest version</Link>}
            <Link className="button" to={buildPath(api.workspace.folder, kind)}>All {list.toLowerCase()}</Link>
          </p>
        </Empty>
      </div>
    );
  }
  const reload = () => {
    found.reload();
    whole.reload();
  };
  const isWholeArchived = whole.data.properties.isArchived === true;
  const isArchived = isWholeArchived || version.properties.isArchived === true;
  return (
    <DetailPage
      list={{ name: list, path: kind }}
      title={name}
      badges={
        <>
          <label className="version-choice">
            <span className="muted">version</span>
            <select className="field" value={version.name} onChange={(event) => go(buildPath(api.workspace.folder, kind, name, event.target.value) + location.search)}>
              {versions.map((one) => <option key={one.name} value={one.name}>{one.name}{one.properties.isArchived ? " (archived)" : ""}</option>)}
            </select>
          </label>
          {isArchived && <span className="tag">archived</span>}
        </>
      }
      actions={<ArchiveButtons kind={kind} name={name} version={version} isWholeArchived={isWholeArchived} onDone={reload} />}
      tabs={[
        ...makeTabs(version, name),
        { key: "versions", name: `Versions (${versions.length}${found.data.nextLink ? "+" : ""})`, render: () => <VersionTable kind={kind} name={name} versions={versions} isCut={Boolean(found.data?.nextLink)} /> },
      ]}
    />
  );
}

interface ButtonProps {
  kind: Kind;
  name: string;
  version: Version;
  isWholeArchived: boolean;
  onDone: () => void;
}

function ArchiveButtons({ kind, name, version, isWholeArchived, onDone }: ButtonProps) {
  const api = useApi();
  const isBuiltIn = useQuery(kind === "environments" ? `${api.own} built-in ${name}` : null, async () => {
    const { assets } = await listAssets(api, kind, new URLSearchParams({ search: name, type: "built-in", limit: "1000" }));
    return assets.some((one) => one.name.toLowerCase() === name.toLowerCase());
  });
  const isFixed = kind === "environments" && isBuiltIn.data !== false; // every workspace has it, and none can change it
  const isArchived = version.properties.isArchived === true;
  const set = (only: string | null, archived: boolean) =>
    setArchived(api, kind, name, only, archived).then(() => { tell(`${archived ? "archived" : "restored"} ${only === null ? name : `${name}:${only}`}`); onDone(); }, tellError);
  useEffect(
    () => offerCommands(() => isFixed ? [] : [{ name: isWholeArchived ? `Restore ${name}` : `Archive ${name}`, what: "this page", run: () => void set(null, !isWholeArchived) }]),
    [name, isWholeArchived, isFixed],
  );
  if (isFixed) return null;
  return (
    <>
      {!isWholeArchived && <button className="button" onClick={() => set(version.name, !isArchived)}><Icon name="archive" size={14} />{isArchived ? "Restore" : "Archive"} version {version.name}</button>}
      <button className="button" onClick={() => set(null, !isWholeArchived)}><Icon name="archive" size={14} />{isWholeArchived ? "Restore all" : "Archive all"}</button>
    </>
  );
}

/** The facts that all versions have, after those of the kind. */
export function VersionFacts({ version, facts = [], children }: { version: Version; facts?: Fact[]; children?: ReactNode }) {
  const { properties, systemData } = version;
  const notes = Object.entries(properties.properties ?? {});
  return (
    <>
      {properties.description && <p className="described">{properties.description}</p>}
      <Facts
        facts={[
          ...facts,
          ["Tags", Object.keys(properties.tags ?? {}).length > 0 && <TagList tags={properties.tags ?? {}} />],
          ["Created", systemData && `${formatTime(Date.parse(systemData.createdAt) / 1000)} by ${systemData.createdBy}`],
          ["Reference", <code key="r">{version.id.replace(/^.*\/(?:data|models|components|environments)\/([^/]+)\/versions\/([^/]+)$/, "azureml:$1:$2")}</code>],
          ...notes.map(([key, value]): Fact => [key, <code key={key}>{value}</code>]),
        ]}
      />
      {children}
    </>
  );
}
