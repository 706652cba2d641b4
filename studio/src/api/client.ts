/** Calls of the server's API. An error is the server's sentence. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly details: string[] = [],
  ) {
    super(message);
  }
}

type Query = Record<string, string | number | boolean | null | undefined | readonly string[]>;
let onSignedOut: () => void = () => {};

/** Call `listener` when the server no longer knows this browser. */
export function setSignedOutListener(listener: () => void): void {
  onSignedOut = listener;
}

export function buildUrl(path: string, query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value === null || value === undefined || value === "") continue;
    for (const one of Array.isArray(value) ? value : [value]) parameters.append(key, String(one));
  }
  const text = parameters.toString();
  return text ? `${path}?${text}` : path;
}

export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(path, { credentials: "same-origin", cache: "no-store", redirect: "error", ...init });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiError(0, "the server does not answer; it starts again with the next command, such as smalt studio");
  }
  if (answer.ok) return answer;
  if (answer.status === 401) onSignedOut();
  throw await readError(answer);
}

export async function get<T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> {
  return (await request(buildUrl(path, query), { signal })).json() as Promise<T>;
}

export async function send<T>(method: "POST" | "PUT" | "PATCH" | "DELETE", path: string, body?: unknown): Promise<T> {
  const headers = { "content-type": "application/json" };
  const answer = await request(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await answer.text();
  return (text ? JSON.parse(text) : null) as T;
}

export async function readError(answer: Response): Promise<ApiError> {
  try {
    const { error } = (await answer.json()) as { error: { message: string; details?: { message: string }[] } };
    return new ApiError(answer.status, error.message, error.details?.map((detail) => detail.message));
  } catch {
    return new ApiError(answer.status, `the server answered ${answer.status} ${answer.statusText}`);
  }
}
