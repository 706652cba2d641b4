import { buildUrl, get } from "../../api/client";
import { joinPath } from "../../api/resources";
import type { FileItem } from "../../api/types";
import { FileTree } from "../../files/FileTree";
import { useApi } from "../../shell/context";

/** The files of a version of data or of a model. */
export function FilesTab({ kind, name, version }: { kind: "data" | "models"; name: string; version: string }) {
  const api = useApi();
  const base = `${api.own}/${joinPath(kind, name, "versions", version)}`;
  return (
    <div className="wide-content">
      <FileTree
        id={`${api.own} ${kind} ${name} ${version}`} name={name}
        list={(path) => get<{ value: FileItem[]; nextLink?: string }>(`${base}/list`, { path, $top: 500 })}
        buildUrl={(path) => buildUrl(`${base}/file`, { path })}
      />
    </div>
  );
}
