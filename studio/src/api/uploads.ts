import { ApiError, buildUrl, request, send } from "./client";
import type { WorkspaceApi } from "./workspace";

/** A file to upload, and its path below the folder that is uploaded; "" for a file by itself. */
export interface UploadFile {
  path: string;
  file: File;
}

/** A part of a file; one that is empty still makes its file. */
export interface Piece extends UploadFile {
  start: number;
  end: number;
}

/** The datastore to which the command line uploads, too. */
const STORE = "workspaceblobstore";
const REQUEST = 8_000_000;
const MAX_PIECES = 1000;

export interface UploadWork {
  signal: AbortSignal;
  /** Called with the bytes that have arrived. */
  onProgress: (arrived: number) => void;
}

/** Upload files to a place of the datastore; what arrived of an earlier try is not sent again. Returns the place's URI. */
export async function uploadFiles(api: WorkspaceApi, target: string, files: UploadFile[], work: UploadWork): Promise<string> {
  const base = `${api.own}/datastores/${STORE}`;
  const asked = files.map(({ path, file }) => [path, file.size]);
  const state = await send<{ bulk: boolean; done?: boolean; missing?: [number, number][] }>("POST", `${base}/uploads`, { target, files: asked });
  if (!state.bulk) await putFiles(base, target, files, work);
  else if (!state.done) {
    await sendPieces(`${base}/uploads/content`, target, files, state.missing!, work);
    work.signal.throwIfAborted();
    await send("POST", `${base}/uploads/finish`, { target, files: asked, folders: [], executable: [] });
  }
  return `azureml://datastores/${STORE}/paths/${target}`;
}

async function sendPieces(route: string, target: string, files: UploadFile[], missing: [number, number][], { signal, onProgress }: UploadWork): Promise<void> {
  const total = files.reduce((sum, { file }) => sum + file.size, 0);
  let arrived = total - missing.reduce((sum, [index, there]) => sum + files[index].file.size - there, 0);
  onProgress(arrived);
  for (const pieces of splitRequests(missing.map(([index, there]) => ({ ...files[index], start: there })))) {
    // A slice is read from the disk while it is sent, so no more than that is in memory.
    const body = new Blob(pieces.flatMap(({ path, file, start, end }) => [buildHead(path, end - start, start), file.slice(start, end)]));
    await sendFile(buildUrl(route, { target }), "POST", body, pieces, signal);
    arrived += pieces.reduce((sum, { start, end }) => sum + end - start, 0);
    onProgress(arrived);
  }
}

/** Send each file by itself, to a datastore in a cloud. */
async function putFiles(base: string, target: string, files: UploadFile[], { signal, onProgress }: UploadWork): Promise<void> {
  let arrived = 0;
  for (const { path, file } of files) {
    const place = [target, path].filter(Boolean).join("/").split("/").map(encodeURIComponent).join("/");
    await sendFile(`${base}/files/${place}`, "PUT", file, [{ path, file }], signal);
    arrived += file.size;
    onProgress(arrived);
  }
}

async function sendFile(url: string, method: string, body: Blob, files: UploadFile[], signal: AbortSignal): Promise<void> {
  try {
    await request(url, { method, body, signal, headers: { "content-type": "application/octet-stream" } });
  } catch (error) {
    if (!(error instanceof ApiError) || error.status) throw error;
    for (const { path, file } of files) {
      await file.slice(0, 1).arrayBuffer().catch(() => {
        throw new Error(`${path || file.name} cannot be read any more, as it was changed or removed; choose it again`);
      });
    }
    throw error;
  }
}

/** The parts of files in requests: many small files in one, and a large one in several. */
export function splitRequests(missing: { path: string; file: File; start: number }[]): Piece[][] {
  const requests: Piece[][] = [];
  let [pieces, size]: [Piece[], number] = [[], 0];
  const close = () => {
    if (pieces.length) requests.push(pieces);
    [pieces, size] = [[], 0];
  };
  for (const { path, file, start: first } of missing) {
    let start = first;
    do {
      if (pieces.length && (size + Math.min(REQUEST, file.size - start) > REQUEST || pieces.length === MAX_PIECES)) close();
      const end = Math.min(file.size, start + REQUEST);
      pieces.push({ path, file, start, end });
      size += end - start;
      start = end;
    } while (start < file.size);
  }
  close();
  return requests;
}

/** What stands before a piece: the lengths of its path and of its bytes, and where in the file they belong. */
export function buildHead(path: string, length: number, start: number): Uint8Array<ArrayBuffer> {
  const name = new TextEncoder().encode(path);
  const head = new Uint8Array(20 + name.length);
  const view = new DataView(head.buffer);
  view.setUint32(0, name.length);
  view.setBigUint64(4, BigInt(length));
  view.setBigUint64(12, BigInt(start));
  head.set(name, 20);
  return head;
}
