import { Fragment } from "react";
import { request } from "../api/client";
import { useQuery } from "../api/useQuery";
import { isBinary } from "../files/preview";
import { Icon } from "../shell/icons";
import { ErrorMessage, Loading } from "../shell/messages";
import { formatBytes, pluralize } from "../text/format";
import { diffTexts, type DiffLine, type TextDiff } from "./diff";
import { countSkipped, cutHunks, pairLines } from "./lines";
import "./code.css";

const LARGEST = 1_000_000;
const MOST_LINES = 4000;

interface Props {
  path: string;
  /** Null where the file is not there. */
  baseUrl: string | null;
  otherUrl: string | null;
  size: number;
  /** The names of the two codes. */
  names: [string, string];
  isSplit: boolean;
}

async function readText(url: string | null): Promise<string | null> {
  if (!url) return "";
  const bytes = new Uint8Array(await (await request(url)).arrayBuffer());
  return isBinary(bytes) ? null : new TextDecoder().decode(bytes);
}

/** The difference of two texts; null if they are too different, "binary" if one is no text. */
async function loadDiff(baseUrl: string | null, otherUrl: string | null): Promise<TextDiff | "binary" | null> {
  const [base, other] = await Promise.all([readText(baseUrl), readText(otherUrl)]);
  return base === null || other === null ? "binary" : diffTexts(base, other);
}

/** The lines of a file that differ between two codes. */
export default function FileDiff({ path, baseUrl, otherUrl, size, names, isSplit }: Props) {
  const isLarge = size > LARGEST;
  const found = useQuery(isLarge ? null : `${baseUrl} ${otherUrl}`, () => loadDiff(baseUrl, otherUrl));
  if (found.error) return <ErrorMessage error={found.error} />;
  const files = <Downloads path={path} baseUrl={baseUrl} otherUrl={otherUrl} names={names} />;
  if (isLarge) return <p className="diff-note">Files over {formatBytes(LARGEST)} are not compared line by line. {files}</p>;
  if (found.data === undefined) return <Loading what="the lines" />;
  if (found.data === "binary") return <p className="diff-note">This file is no text. {files}</p>;
  if (!found.data) return <p className="diff-note">The two files differ in too many lines to be shown beside each other. {files}</p>;
  const { hunks } = found.data;
  const count = hunks.reduce((sum, { lines }) => sum + lines.length, 0);
  const [shown, skipped] = [cutHunks(hunks, MOST_LINES), countSkipped(hunks)];
  return (
    <>
      <div className="diff-scroll" tabIndex={0} role="region" aria-label={`Lines of ${path} that differ`}>
        <table className={isSplit ? "diff split" : "diff"}>
          {isSplit && <colgroup><col className="at" /><col /><col className="at" /><col /></colgroup>}
          <thead className="visually-hidden"><tr>{isSplit ? names.map((name) => <Fragment key={name}><th>Line</th><th>{name}</th></Fragment>) : <>{names.map((name) => <th key={name}>Line: {name}</th>)}<th>Text</th></>}</tr></thead>
          {shown.map((hunk, k) => (
            <tbody key={k}>
              {skipped[k] > 0 && <tr className="skipped"><td colSpan={isSplit ? 4 : 3}>{pluralize(skipped[k], "equal line")}</td></tr>}
              {isSplit ? pairLines(hunk.lines).map((pair, row) => <SplitRow key={row} pair={pair} />) : hunk.lines.map((line, row) => <UnifiedRow key={row} line={line} />)}
            </tbody>
          ))}
        </table>
      </div>
      {count > MOST_LINES && <p className="diff-note">The first {MOST_LINES} of {count} lines are shown. {files}</p>}
      {!count && <p className="diff-note">{baseUrl && otherUrl ? "No line differs; the kind of the file or the ends of its lines do." : "The file is empty."}</p>}
    </>
  );
}

const SIGNS: Record<DiffLine["change"], string> = { same: " ", added: "+", removed: "−" };

function UnifiedRow({ line }: { line: DiffLine }) {
  return (
    <tr className={line.change}>
      <td className="at">{line.before}</td>
      <td className="at">{line.after}</td>
      <td className="text"><span className="sign">{SIGNS[line.change]}</span>{line.text}</td>
    </tr>
  );
}

function SplitRow({ pair }: { pair: [DiffLine | null, DiffLine | null] }) {
  return (
    <tr>
      {pair.map((line, k) => (
        <SplitCell key={k} line={line} at={k === 0 ? (line?.before ?? null) : (line?.after ?? null)} />
      ))}
    </tr>
  );
}

function SplitCell({ line, at }: { line: DiffLine | null; at: number | null }) {
  const kind = line ? line.change : "none";
  return (
    <>
      <td className={`at ${kind}`}>{at}</td>
      <td className={`text ${kind}`}>{line && <><span className="sign">{SIGNS[line.change]}</span>{line.text}</>}</td>
    </>
  );
}

function Downloads({ path, baseUrl, otherUrl, names }: Pick<Props, "path" | "baseUrl" | "otherUrl" | "names">) {
  const file = path.split("/").at(-1);
  return (
    <>
      {baseUrl && <a className="button small" href={baseUrl} download={`first-${file}`}><Icon name="download" size={12} />{names[0]}</a>}{" "}
      {otherUrl && <a className="button small" href={otherUrl} download={`second-${file}`}><Icon name="download" size={12} />{names[1]}</a>}
    </>
  );
}
