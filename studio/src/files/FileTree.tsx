import { useState } from "react";
import type { FileItem } from "../api/types";
import { useQuery } from "../api/useQuery";
import { Icon } from "../shell/icons";
import { ErrorMessage } from "../shell/messages";
import { formatBytes } from "../text/format";
import { FilePreview } from "./FilePreview";
import "./files.css";

interface Props {
  /** Tells one tree from another. */
  id: string;
  list: (path: string) => Promise<{ value: FileItem[]; nextLink?: string }>;
  buildUrl: (path: string) => string;
  name: string;
}

/** The files of a folder, or one file, each with its preview. */
export function FileTree({ id, list, buildUrl, name }: Props) {
  const [chosen, setChosen] = useState<FileItem | null>(null);
  return (
    <div className="file-tree">
      <Level id={id} path="" list={list} buildUrl={buildUrl} chosen={chosen} onChoose={(item) => setChosen(item.path === chosen?.path ? null : item)} name={name} isTop />
    </div>
  );
}

function Level({ id, path, list, buildUrl, chosen, onChoose, name, isTop = false }: Props & { path: string; chosen: FileItem | null; onChoose: (item: FileItem) => void; isTop?: boolean }) {
  const found = useQuery(`${id} ${path}`, () => list(path));
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  if (found.error) return <ErrorMessage error={found.error} />;
  const items = found.data?.value ?? [];
  function toggle(folder: string) {
    const after = new Set(open);
    if (!after.delete(folder)) after.add(folder);
    setOpen(after);
  }
  return (
    <ul className={isTop ? "file-list" : undefined}>
      {items.map((item) => (
        <li key={item.path}>
          <button aria-expanded={item.is_dir ? open.has(item.path) : chosen?.path === item.path} onClick={() => (item.is_dir ? toggle(item.path) : onChoose(item))}>
            <Icon name={item.is_dir ? "folder" : "file"} size={14} />
            <span className="name">{item.path.split("/").at(-1) || item.name || name}</span>
            {!item.is_dir && <span className="size number">{formatBytes(item.size)}</span>}
          </button>
          {item.is_dir && open.has(item.path) && <Level id={id} path={item.path} list={list} buildUrl={buildUrl} chosen={chosen} onChoose={onChoose} name={name} />}
          {!item.is_dir && chosen?.path === item.path && <FilePreview url={buildUrl(item.path)} name={item.path || item.name || name} size={item.size} folder={{ list, buildUrl }} />}
        </li>
      ))}
      {found.data && !items.length && <li className="muted">Empty.</li>}
      {found.data?.nextLink && <li className="muted">The first {items.length} are shown.</li>}
    </ul>
  );
}
