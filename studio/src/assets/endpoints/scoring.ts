import { ApiError, send } from "../../api/client";
import { joinPath } from "../../api/resources";
import type { WorkspaceApi } from "../../api/workspace";
import type { OnlineEndpoint } from "./types";

/** The answer of a deployment to one request. */
export interface Answer {
  status: number;
  seconds: number;
  deployment: string;
  body: string;
  at: number;
}

const MOST_SHOWN = 200_000;

/** The path of a scoring address below this page's own server; null for one that is elsewhere. */
export function findOwnPath(address: string): string | null {
  const path = /^https?:\/\/[^/]+(\/online\/.*)$/.exec(address)?.[1];
  return path ?? null;
}

/** Send a request to an endpoint as its clients do: with one of its keys, or a token, which this session may ask for. */
export async function sendRequest(api: WorkspaceApi, name: string, endpoint: OnlineEndpoint, deployment: string, body: string): Promise<Answer> {
  const path = findOwnPath(endpoint.scoringUri);
  if (path === null) throw new Error(`${endpoint.scoringUri} is not an address of this server`);
  const headers: Record<string, string> = { "content-type": "application/json" };
  const secret = await fetchSecret(api, name, endpoint.authMode ?? "Key");
  if (secret) headers.authorization = `Bearer ${secret}`;
  if (deployment) headers["azureml-model-deployment"] = deployment;
  const begun = performance.now();
  let answer: Response;
  try {
    answer = await fetch(path, { method: "POST", body, headers, credentials: "same-origin", cache: "no-store", redirect: "error" });
  } catch {
    throw new ApiError(0, "the server does not answer");
  }
  const text = await answer.text();
  return {
    status: answer.status,
    seconds: (performance.now() - begun) / 1000,
    deployment: answer.headers.get("azureml-model-deployment") ?? deployment,
    body: text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text,
    at: Date.now() / 1000,
  };
}

async function fetchSecret(api: WorkspaceApi, name: string, mode: string): Promise<string | null> {
  const path = `${api.workspace.id}/${joinPath("onlineEndpoints", name)}`;
  if (mode.toLowerCase() === "key") return (await send<{ primaryKey: string }>("POST", `${path}/listKeys`, {})).primaryKey;
  if (mode.toLowerCase() === "amltoken") return (await send<{ accessToken: string }>("POST", `${path}/token`, {})).accessToken;
  return null;
}

/** JSON as it is easier to read; another text as it is. */
export function formatAnswer(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
