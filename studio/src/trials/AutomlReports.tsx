import { get } from "../api/client";
import type { FileItem } from "../api/types";
import { useQuery } from "../api/useQuery";
import { ImagePreview } from "../files/FilePreview";
import { FileTree } from "../files/FileTree";
import { useApi } from "../shell/context";

const FOLDER = "outputs/automl";

/** The reports of a finished AutoML job: its leaderboard with all metrics, importance of features, pictures. */
export function AutomlReports({ job }: { job: string }) {
  const api = useApi();
  const place = `ExperimentRun/dcid.${job}/${FOLDER}`;
  async function list(path: string): Promise<{ value: FileItem[]; nextLink?: string }> {
    const found = await get<{ value: FileItem[]; nextLink?: string }>(`${api.own}/datastores/workspaceartifactstore/list`, { path: path ? `${place}/${path}` : place });
    const value = found.value.map((item) => ({ ...item, path: item.path.slice(item.path.indexOf(`${FOLDER}/`) + FOLDER.length + 1).replace(/\/$/, "") }));
    return { ...found, value };
  }
  const found = useQuery(`${api.own} ${job} reports`, () => list(""));
  if (!found.data) return null; // one that failed before its end has none
  const buildUrl = (path: string) => api.buildLogUrl(job, `${FOLDER}/${path.split("/").map(encodeURIComponent).join("/")}`);
  const pictures = found.data.value.filter(({ path }) => path.endsWith(".png"));
  return (
    <section className="card reports">
      <h3>Reports</h3>
      <div className="pictures">
        {pictures.map(({ path }) => (
          <figure key={path}>
            <ImagePreview url={buildUrl(path)} name={nameReport(path)} />
            <figcaption>{nameReport(path)}</figcaption>
          </figure>
        ))}
      </div>
      <p className="muted">All files: the leaderboard with all metrics, the importance of features where it was measured, and the numbers of the pictures; <code>smalt job download --name {job}</code> fetches them.</p>
      <FileTree id={`${api.own} ${job} reports`} name="reports" list={list} buildUrl={buildUrl} />
    </section>
  );
}

/** "roc curve" of roc_curve.png. */
const nameReport = (path: string): string => path.replace(/\.png$/, "").replaceAll("_", " ");
