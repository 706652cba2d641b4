import { request } from "../api/client";
import { useQuery } from "../api/useQuery";
import { isBinary } from "../files/preview";
import { ErrorMessage, Loading } from "../shell/messages";
import { formatBytes } from "../text/format";
import "./code.css";

const MOST_BYTES = 512 * 1024;

interface CodeContent {
  text: string;
  isBinary: boolean;
  isCut: boolean;
}

async function readCode(url: string): Promise<CodeContent> {
  const answer = await request(url, { headers: { range: `bytes=0-${MOST_BYTES - 1}` } }).catch((error: { status?: number }) => {
    if (error.status === 416) return new Response("");
    throw error;
  });
  const size = Number(/\/(\d+)$/.exec(answer.headers.get("content-range") ?? "")?.[1] ?? 0);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  return { text: new TextDecoder().decode(bytes), isBinary: isBinary(bytes), isCut: size > bytes.length };
}

/** A file of code, with the numbers of its lines. */
export function CodeText({ url, name }: { url: string; name: string }) {
  const found = useQuery(url, () => readCode(url));
  if (found.error) return <ErrorMessage error={found.error} />;
  if (!found.data) return <Loading what={name} />;
  const { text, isBinary, isCut } = found.data;
  if (isBinary) return <p className="diff-note">This file is no text.</p>;
  if (!text) return <p className="diff-note">The file is empty.</p>;
  const lines = text.replace(/\n$/, "").split("\n");
  return (
    <>
      <div className="code-lines" tabIndex={0} role="region" aria-label={name}>
        <pre className="numbers" aria-hidden="true">{lines.map((_, k) => k + 1).join("\n")}</pre>
        <pre>{lines.join("\n")}</pre>
      </div>
      {isCut && <p className="diff-note">This is the beginning, {formatBytes(MOST_BYTES)}.</p>}
    </>
  );
}
