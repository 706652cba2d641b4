import type { Version } from "../../api/resources";

/** The version that an address names; without one the newest that is not archived, or the newest. */
export function chooseVersion(versions: Version[], wanted: string | null): Version | undefined {
  if (wanted !== null) return versions.find((one) => one.name === wanted);
  return versions.find((one) => !one.properties.isArchived) ?? versions[0];
}

/** A resource's id in the short form that YAML has. */
export function shortenReference(id: string): string {
  const found = /\/(data|models|components|environments|codes)\/([^/]+)\/(versions|labels)\/([^/]+)$/.exec(id);
  return found ? `${found[2]}${found[3] === "labels" ? "@" : ":"}${found[4]}` : id.replace(/^azureml:(?!\/)/, "");
}

/** The name and, if it has one, version that a reference to an asset of the workspace has; null for other texts. */
export function parseOwnReference(id: string): string[] | null {
  const long = /^(?:azureml:)?\/subscriptions\/.*\/(?:data|models|components|environments)\/([^/]+)\/(?:versions|labels)\/([^/]+)$/.exec(id);
  const short = /^azureml:([^/:@]+)(?::([^/:@]+)|@[^/:@]+)?$/.exec(id);
  if (long) return id.includes("/labels/") ? [long[1]] : [long[1], long[2]];
  return short ? [short[1], ...(short[2] ? [short[2]] : [])] : null;
}
