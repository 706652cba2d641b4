export interface DatastoreProperties {
  datastoreType: string;
  description?: string | null;
  isDefault?: boolean;
  path?: string;
  accountName?: string;
  containerName?: string;
  fileShareName?: string;
  filesystem?: string;
  credentials?: { credentialsType?: string };
  [key: string]: unknown;
}

const NAMES: Record<string, string> = {
  azureblob: "Azure blobs", azurefile: "Azure files", azuredatalakegen1: "Azure Data Lake 1", azuredatalakegen2: "Azure Data Lake 2", localpath: "folder of this machine", s3: "S3", gcs: "Google Cloud Storage",
};

export const nameDatastoreType = (type: string | undefined): string => NAMES[(type ?? "").toLowerCase().replaceAll("_", "")] ?? type ?? "";

/** Where the files of a datastore are. The workspace's own name this server as their account. */
export function describePlace(properties: DatastoreProperties): string {
  if (properties.path) return properties.path;
  const container = properties.containerName ?? properties.fileShareName ?? properties.filesystem ?? properties.bucket ?? "";
  const account = properties.accountName ?? "";
  return account.endsWith("?") || account === "smalt" || !account ? String(container) : `${account} / ${container}`;
}
