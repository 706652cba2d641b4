import type { Resource } from "../../api/resources";
import type { OnlineDeployment, OnlineEndpoint } from "./types";

/** What a deployment gets of its endpoint's requests, and its instances. */
export interface Row {
  name: string;
  traffic: number;
  mirror: number;
  instances: number;
}

export interface Changes {
  /** The shares of all deployments, if one is another. */
  shares: { traffic: Record<string, number>; mirrorTraffic: Record<string, number> } | null;
  scaled: { name: string; instances: number }[];
}

export function readForm(endpoint: OnlineEndpoint, deployments: Resource<OnlineDeployment>[]): Row[] {
  return deployments.map(({ name, sku }) => ({
    name,
    traffic: findShare(endpoint.traffic, name),
    mirror: findShare(endpoint.mirrorTraffic, name),
    instances: sku?.capacity ?? 1,
  }));
}

/** What is to be sent, after one form became another; a deployment that gets nothing is named, too. */
export function listChanges(before: Row[], after: Row[]): Changes {
  const isOther = (key: "traffic" | "mirror") => after.some((row, k) => row[key] !== before[k][key]);
  const collect = (key: "traffic" | "mirror") => Object.fromEntries(after.map((row) => [row.name, row[key]]));
  return {
    shares: isOther("traffic") || isOther("mirror") ? { traffic: collect("traffic"), mirrorTraffic: collect("mirror") } : null,
    scaled: after.filter((row, k) => row.instances !== before[k].instances).map(({ name, instances }) => ({ name, instances })),
  };
}

export const sumTraffic = (rows: Row[]): number => rows.reduce((sum, row) => sum + row.traffic, 0);

function findShare(shares: Record<string, number> | undefined, name: string): number {
  const found = Object.entries(shares ?? {}).find(([one]) => one.toLowerCase() === name.toLowerCase());
  return found?.[1] ?? 0;
}
