import { request } from "../../api/client";
import { useQuery } from "../../api/useQuery";
import { ErrorMessage, Loading } from "../../shell/messages";
import { pluralize } from "../../text/format";
import { findFiles, type Folder } from "./files";
import { planMLTable } from "./mltable";
import TablePreview from "./TablePreview";

const MOST_BYTES = 128 * 1024;

/** The table that an MLTable makes of its files, as far as a page can make it, and its text. */
export default function MLTablePreview({ url, path, folder }: { url: string; path: string; folder?: Folder }) {
  const found = useQuery(url, async () => {
    const [{ parse }, answer] = await Promise.all([import("yaml"), request(url, { headers: { range: `bytes=0-${MOST_BYTES - 1}` } })]);
    const text = await answer.text();
    let content: unknown;
    try {
      content = parse(text);
    } catch {
      return { text, problem: "this MLTable is no YAML" };
    }
    return { text, ...(await lookUp(content, path, folder)) };
  });
  if (found.error) return <ErrorMessage error={found.error} />;
  if (!found.data) return <Loading what={path} />;
  const { text, plan, files, problem } = { plan: null, files: null, problem: null, ...found.data };
  return (
    <>
      {problem && <p className="muted">{problem}.</p>}
      {plan && files && <Notes notes={[...plan.leftOut.map((name) => `${name} is applied in a job, not here`), ...files.elsewhere.map((path) => `${path} is elsewhere, and not looked at here`)]} />}
      {plan?.reader && files && files.files.length > 0 && <TablePreview name={path} task={{ files: files.files, reader: plan.reader, window: plan.window, keep: plan.keep, drop: plan.drop }} />}
      {plan && !plan.reader && files && <p className="muted">It has no columns: it names {pluralize(files.files.length, "file")}{files.isCut ? " and more" : ""}.</p>}
      {plan?.reader && files && !files.files.length && <p className="muted">None of its files is found beside it.</p>}
      <pre tabIndex={0}>{text}</pre>
    </>
  );
}

async function lookUp(content: unknown, path: string, folder?: Folder) {
  try {
    const plan = planMLTable(content);
    if (!folder) return { problem: "its files are not looked up here" };
    return { plan, files: await findFiles(plan, folder, path.split("/").slice(0, -1).join("/")) };
  } catch (error) {
    return { problem: (error as Error).message };
  }
}

const Notes = ({ notes }: { notes: string[] }) => (notes.length ? <ul className="notes muted">{notes.map((note) => <li key={note}>{note}.</li>)}</ul> : null);
