import { useEffect, useRef, useState } from "react";
import { ApiError } from "../../api/client";
import { getContainer, getVersion, registerData, type Version } from "../../api/resources";
import { uploadFiles } from "../../api/uploads";
import type { WorkspaceApi } from "../../api/workspace";
import { explainName } from "../../job/registering";
import "../../progress/progress.css";
import { useApi } from "../../shell/context";
import { FormDialog } from "../../shell/FormDialog";
import { buildPath, go } from "../../shell/router";
import { formatBytes, pluralize } from "../../text/format";
import { describeChoice, makeTarget, placeFiles, suggestName, type Chosen } from "./upload";

/** Uploads files of this computer, registers them as a version of a data asset, and opens its page. */
export function UploadDialog({ onClose }: { onClose: () => void }) {
  const api = useApi();
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const [fields, setFields] = useState({ name: "", type: "uri_file", version: "", description: "" });
  const [isNamed, setNamed] = useState(false);
  const [arrived, setArrived] = useState<number | null>(null);
  const work = useRef<AbortController | null>(null);
  /** The place of the upload, kept so that another try goes on where one ended. */
  const place = useRef<{ of: Chosen; type: string; target: string } | null>(null);
  const set = (key: keyof typeof fields) => (event: { target: { value: string } }) => setFields((before) => ({ ...before, [key]: event.target.value }));
  useEffect(() => () => work.current?.abort(), []);
  useEffect(() => {
    if (arrived === null) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", warn);
    return () => removeEventListener("beforeunload", warn);
  }, [arrived === null]);

  function choose(files: FileList | null) {
    const next = describeChoice([...(files ?? [])]);
    if (!next) return;
    setChosen(next);
    setFields((before) => ({ ...before, name: isNamed ? before.name : suggestName(next.name), type: next.types[0] }));
  }

  async function upload() {
    const given = { ...fields, name: fields.name.trim(), version: fields.version.trim() };
    if (!chosen) throw new Error("there is nothing to upload yet; choose files or a folder");
    const wrong = explainName(given.name);
    if (wrong) throw new Error(wrong);
    await refuseTaken(api, given.name, given.version);
    if (place.current?.of !== chosen || place.current.type !== given.type) place.current = { of: chosen, type: given.type, target: makeTarget(chosen, given.type) };
    work.current = new AbortController();
    setArrived(0);
    try {
      const uri = await uploadFiles(api, place.current.target, placeFiles(chosen, given.type), { signal: work.current.signal, onProgress: setArrived });
      const version = await registerData(api, { ...given, uri });
      return () => go(buildPath(api.workspace.folder, "data", given.name, version));
    } catch (error) {
      if (work.current.signal.aborted) throw new Error("the upload was canceled, and nothing is registered; 'Upload' goes on where it ended");
      throw error;
    } finally {
      setArrived(null);
    }
  }

  return (
    <FormDialog title="Upload data" action="Upload" onSubmit={upload} onClose={onClose} onStop={arrived === null ? undefined : () => work.current?.abort()}>
      <p className="muted">Files of this computer, as a version of a data asset that jobs can use.</p>
      <fieldset className="upload-choice" disabled={arrived !== null}>
        <label className="dialog-field"><span>Files</span><input className="field" type="file" multiple onChange={(event) => choose(event.target.files)} /></label>
        <label className="dialog-field"><span>Or a folder</span><input className="field" type="file" {...{ webkitdirectory: "" }} onChange={(event) => choose(event.target.files)} /></label>
        {chosen && <p className="muted number" role="note">{chosen.name}: {pluralize(chosen.files.length, "file")}, {formatBytes(chosen.size)}</p>}
        <label className="dialog-field"><span>Name</span><input className="field mono" value={fields.name} onChange={(event) => { setNamed(event.target.value !== ""); set("name")(event); }} required /></label>
        <label className="dialog-field"><span>Type</span><select className="field" value={fields.type} onChange={set("type")}>{(chosen?.types ?? ["uri_file", "uri_folder", "mltable"]).map((one) => <option key={one}>{one}</option>)}</select></label>
        <label className="dialog-field"><span>Version</span><input className="field mono" value={fields.version} placeholder="the next one" onChange={set("version")} /></label>
        <label className="dialog-field"><span>Description</span><input className="field" value={fields.description} onChange={set("description")} /></label>
      </fieldset>
      {arrived !== null && chosen && (
        <div>
          <span className="progress-bar" role="progressbar" aria-label="Uploaded" aria-valuemin={0} aria-valuemax={Math.max(1, chosen.size)} aria-valuenow={arrived}><span className="done" style={{ width: `${(100 * arrived) / Math.max(1, chosen.size)}%` }} /></span>
          <p className="muted number">{arrived < chosen.size ? `${formatBytes(arrived)} of ${formatBytes(chosen.size)}` : "All has arrived; it is stored and registered"}</p>
        </div>
      )}
    </FormDialog>
  );
}

/** Refuse a version that is there, and one of an archived asset, before its files are sent. */
async function refuseTaken(api: WorkspaceApi, name: string, version: string): Promise<void> {
  const whole = await findResource(getContainer(api, "data", name));
  if (whole?.properties.isArchived) throw new Error(`data asset '${name}' is archived, so a new version would be hidden; restore it on its page, or use another name`);
  if (whole && version && (await findResource(getVersion(api, "data", name, version)))) throw new Error(`data asset '${name}' has a version ${version} already; choose another, or leave it empty for the next one`);
}

/** What a request is answered with; null for a resource that is not there. */
async function findResource(request: Promise<Version>): Promise<Version | null> {
  try {
    return await request;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}
