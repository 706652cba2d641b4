import { get, send } from "./client";
import type { WorkspaceApi } from "./workspace";

export type Kind = "data" | "models" | "components" | "environments";

/** A row of a table of assets: the asset, with its newest version. Times are seconds since 1970. */
export interface AssetRow {
  name: string;
  version: string | null;
  versions: number;
  type: string | null;
  description: string | null;
  tags: Record<string, string>;
  owner: string;
  created: number;
  modified: number;
  archived: boolean;
}

export interface AssetTablePage {
  total: number;
  types: Record<string, number>;
  assets: AssetRow[];
}

/** A resource as the REST API has it. */
export interface Resource<Properties = Record<string, unknown>> {
  id: string;
  name: string;
  tags?: Record<string, string>;
  /** Of an online deployment: its instances. */
  sku?: { name: string; capacity?: number };
  properties: Properties;
  systemData?: { createdBy: string; createdAt: string; lastModifiedAt?: string };
}

export interface VersionProperties extends Record<string, unknown> {
  description?: string | null;
  tags?: Record<string, string>;
  properties?: Record<string, string>;
  isArchived?: boolean;
}

export type Version = Resource<VersionProperties>;

interface Page<Item> {
  value: Item[];
  nextLink?: string;
}

const MOST_VERSIONS = 500;
const MOST = 500;
const encode = encodeURIComponent;

export const listAssets = (api: WorkspaceApi, kind: Kind, query: URLSearchParams) => get<AssetTablePage>(`${api.own}/${kind}?${query}`);

/** The versions of an asset, the newest first, archived ones too. */
export const listVersions = (api: WorkspaceApi, kind: Kind, name: string) =>
  get<Page<Version>>(`${api.workspace.id}/${kind}/${encode(name)}/versions`, { listViewType: "All", $top: MOST_VERSIONS });

export const getVersion = (api: WorkspaceApi, kind: Kind, name: string, version: string) =>
  get<Version>(`${api.workspace.id}/${kind}/${encode(name)}/versions/${encode(version)}`);

export const getContainer = (api: WorkspaceApi, kind: Kind, name: string) => get<Version>(`${api.workspace.id}/${kind}/${encode(name)}`);

/** Archive or restore an asset as a whole or, with `version`, one version of it. */
export async function setArchived(api: WorkspaceApi, kind: Kind, name: string, version: string | null, archived: boolean): Promise<void> {
  const path = `${api.workspace.id}/${kind}/${encode(name)}${version === null ? "" : `/versions/${encode(version)}`}`;
  const { properties } = await get<Version>(path);
  const { provisioningState: _state, latestVersion: _latest, nextVersion: _next, ...kept } = properties;
  await send("PUT", path, { properties: { ...kept, isArchived: archived } });
}

/** The resources of a kind that has no versions; `path` is below the workspace. */
export const listResources = <Properties>(api: WorkspaceApi, path: string, query: Record<string, string | number> = {}) =>
  get<Page<Resource<Properties>>>(`${api.workspace.id}/${path}`, { $top: MOST, ...query });

export const getResource = <Properties>(api: WorkspaceApi, path: string) => get<Resource<Properties>>(`${api.workspace.id}/${path}`);

export const joinPath = (...parts: string[]): string => parts.map(encode).join("/");

/** The address of a version as a YAML file has it. */
export const buildYamlUrl = (api: WorkspaceApi, kind: Kind, name: string, version: string) => `${api.own}/${joinPath(kind, name, "versions", version)}/yaml`;

/** Register an output of a job as the next version of a model or of data. */
export async function registerOutput(api: WorkspaceApi, job: string, output: string, { name, type, description }: { name: string; type: string; description: string }): Promise<{ kind: Kind; version: string }> {
  const isModel = type.endsWith("_model");
  const [kind, place, of]: [Kind, string, string] = isModel ? ["models", "modelUri", "modelType"] : ["data", "dataUri", "dataType"];
  const properties = { [place]: `azureml://jobs/${job}/outputs/${output}`, [of]: type, ...(description ? { description } : {}) };
  const made = await send<Version>("PUT", `${api.workspace.id}/${kind}/${encode(name)}/versions/1?next=true`, { properties });
  return { kind, version: made.name };
}

/** Register a place of a datastore as a version of data, the next one if none is given. Returns the version. */
export async function registerData(api: WorkspaceApi, { name, type, version, description, uri }: { name: string; type: string; version: string; description: string; uri: string }): Promise<string> {
  const properties = { dataUri: uri, dataType: type, ...(description ? { description } : {}) };
  const place = `${api.workspace.id}/data/${encode(name)}/versions/${encode(version || "1")}`;
  return (await send<Version>("PUT", version ? place : `${place}?next=true`, { properties })).name;
}
