import { useEffect, useRef, useState } from "react";
import { request } from "../api/client";
import { useQuery } from "../api/useQuery";
import { Icon } from "../shell/icons";
import { lazy } from "../shell/lazyPart";
import { ErrorMessage, Loading } from "../shell/messages";
import { formatBytes } from "../text/format";
import { keepInSight } from "./sight";
import { chooseReader, choosePreview, formatJson, isBinary, PREVIEW_BYTES } from "./preview";
import type { Folder } from "./tables/files";
import "./files.css";

const TablePreview = lazy(() => import("./tables/TablePreview"));
const MLTablePreview = lazy(() => import("./tables/MLTablePreview"));
const NO_CUT = { window: { from: 0, to: Infinity }, keep: null, drop: [] };

interface Props {
  url: string;
  /** The file's path below its data, or the name of data that is one file. */
  name: string;
  size: number;
  /** The data that the file is a part of: an MLTable's files are found there. */
  folder?: Folder;
}

/** A file's content, or its beginning. Pages and images that a job wrote run no script here. */
export function FilePreview({ url, name, size, folder }: Props) {
  const own = useRef<HTMLDivElement>(null);
  useEffect(() => keepInSight(own.current!), []);
  return (
    <div className="preview" ref={own}>
      <div className="preview-bar">
        <span className="mono">{name}</span>
        <span className="muted number">{formatBytes(size)}</span>
        <span className="space" />
        <a className="button small" href={url} download={name.split("/").at(-1)}><Icon name="download" size={14} />Download</a>
      </div>
      {!size && <p className="muted">The file is empty.</p>}
      {size > 0 && <Content url={url} name={name} size={size} folder={folder} />}
    </div>
  );
}

function Content({ url, name, size, folder }: Props) {
  const kind = choosePreview(name);
  const reader = kind === "table" ? chooseReader(name) : null;
  return (
    <>
      {kind === "image" && <ImagePreview url={url} name={name} />}
      {kind === "page" && <iframe className="page" title={name} sandbox="" src={url} />}
      {kind === "none" && <NoPreview />}
      {(kind === "text" || kind === "json") && <TextPreview url={url} name={name} kind={kind} />}
      {reader && <TablePreview name={name} task={{ files: [{ url, name, size }], reader, ...NO_CUT }} />}
      {kind === "mltable" && <MLTablePreview url={url} path={name} folder={folder} />}
    </>
  );
}

const NoPreview = () => <p className="muted">This kind of file has no preview; download it.</p>;

export function ImagePreview({ url, name }: { url: string; name: string }) {
  const [source, setSource] = useState<string | null>(null);
  const [error, setError] = useState<Error | null>(null);
  useEffect(() => {
    let made: string | null = null;
    let isOver = false;
    request(url).then((answer) => answer.blob()).then((blob) => {
      if (isOver) return;
      made = URL.createObjectURL(blob);
      setSource(made);
    }, setError);
    return () => {
      isOver = true;
      if (made) URL.revokeObjectURL(made);
    };
  }, [url]);
  if (error) return <ErrorMessage error={error} />;
  return source ? <img src={source} alt={name} /> : <Loading what={name} />;
}

interface Beginning {
  bytes: Uint8Array;
  isCut: boolean;
}

async function readBeginning(url: string): Promise<Beginning> {
  const answer = await request(url, { headers: { range: `bytes=0-${PREVIEW_BYTES - 1}` } }).catch(async (error: { status?: number }) => {
    if (error.status === 416) return new Response("");
    throw error;
  });
  const size = Number(/\/(\d+)$/.exec(answer.headers.get("content-range") ?? "")?.[1] ?? 0);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  return { bytes, isCut: size > bytes.length };
}

function TextPreview({ url, name, kind }: { url: string; name: string; kind: "json" | "text" }) {
  const found = useQuery(url, () => readBeginning(url));
  if (found.error) return <ErrorMessage error={found.error} />;
  if (!found.data) return <Loading what={name} />;
  const { bytes, isCut } = found.data;
  if (isBinary(bytes)) return <NoPreview />;
  const text = new TextDecoder().decode(bytes);
  return (
    <>
      <pre tabIndex={0}>{kind === "json" ? formatJson(text) : text}</pre>
      {isCut && <p className="muted">This is the beginning, {formatBytes(bytes.length)}.</p>}
      {!bytes.length && <p className="muted">The file is empty.</p>}
    </>
  );
}
