import { ApiError } from "../api/client";
import { useQuery } from "../api/useQuery";
import { useApi } from "../shell/context";
import { Icon } from "../shell/icons";
import { Link } from "../shell/Link";
import { ErrorMessage } from "../shell/messages";
import type { DocumentRoutes } from "./routes";

interface Props {
  routes: DocumentRoutes;
  folder: string;
  onFolder: (folder: string) => void;
  hrefOf?: (path: string) => string;
  onFile?: (path: string) => void;
}

/** The folders and YAML files of the folder that the server lets people open. */
export function FolderList({ routes, folder, onFolder, hrefOf, onFile }: Props) {
  const api = useApi();
  const found = useQuery(`${api.own} folder ${folder}`, () => routes.listFolder(folder));
  const parts = folder.split("/").filter(Boolean);
  if (found.error instanceof ApiError && found.error.status === 403) return <p className="muted folder-unset">{found.error.message}</p>;
  return (
    <div className="folder-list">
      <nav aria-label="Folder" className="crumbs">
        <button className="link" onClick={() => onFolder("")}>{found.data?.root.split("/").at(-1) ?? "folder"}</button>
        {parts.map((part, k) => <span key={k}> / <button className="link" onClick={() => onFolder(parts.slice(0, k + 1).join("/"))}>{part}</button></span>)}
      </nav>
      {found.error && <ErrorMessage error={found.error} retry={found.reload} />}
      {found.data && !found.data.value.length && <p className="muted">No YAML file and no folder is here.</p>}
      <ul className="start-list">
        {found.data?.value.map(({ path, is_dir }) => {
          const name = path.split("/").at(-1)!;
          const content = <><Icon name={is_dir ? "folder" : "file"} />{name}</>;
          return <li key={path}>{is_dir ? <button className="link" onClick={() => onFolder(path)}>{content}</button> : hrefOf ? <Link to={hrefOf(path)}>{content}</Link> : <button className="link" onClick={() => onFile?.(path)}>{content}</button>}</li>;
        })}
      </ul>
    </div>
  );
}
