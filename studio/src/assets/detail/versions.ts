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
