import { useState } from "react";
import { FormDialog } from "../shell/FormDialog";
import { tell } from "../shell/toasts";
import { makeStepName } from "./pipeline/changes";
import { showValue } from "./pipeline/values";
import type { DesignerStore } from "./store";

export type PublishKind = "component" | "schedule" | "endpoint";

const TITLES: Record<PublishKind, [string, string]> = {
  component: ["Register as a component", "Its inputs become the component's: values are defaults, data is to be given. Settings of a job, such as its compute, are no part of a component."],
  schedule: ["Schedule the pipeline", "The pipeline as it is now is submitted at each time. Later changes of the drawing do not change the schedule; schedule it again under the same name."],
  endpoint: ["Publish to a batch endpoint", "The pipeline is registered as a component, which the endpoint then runs by default; its settings are the deployment's."],
};
type Fields = Record<string, string>;

/** Registers, schedules or publishes a pipeline. */
export function PublishDialog({ store, kind, onClose }: { store: DesignerStore; kind: PublishKind; onClose: () => void }) {
  const own = makeStepName(String(store.drawing.head.name ?? store.drawing.head.display_name ?? store.fileName.replace(/\.ya?ml$/, "")));
  const [fields, setFields] = useState<Fields>({ name: own, version: findOwnVersion(store), endpoint: own.replaceAll("_", "-"), deployment: "default", trigger: "cron", expression: "0 3 * * *", zone: Intl.DateTimeFormat().resolvedOptions().timeZone, frequency: "day", interval: "1" });
  const set = (key: string) => (event: { target: { value: string } }) => setFields((before) => ({ ...before, [key]: event.target.value }));
  const field = (key: string, label: string, isNeeded = true) => <label className="dialog-field"><span>{label}</span><input className="field mono" value={fields[key]} onChange={set(key)} required={isNeeded} /></label>;
  async function publish() {
    const told = await send(store, kind, fields);
    return () => tell(told);
  }
  const [title, words] = TITLES[kind];
  return (
    <FormDialog title={title} action={kind === "component" ? "Register" : kind === "schedule" ? "Schedule" : "Publish"} onSubmit={publish} onClose={onClose}>
      <p className="muted">{words}</p>
      {kind === "endpoint" && <>{field("endpoint", "Endpoint")}{field("deployment", "Deployment")}</>}
      {field("name", kind === "endpoint" ? "Component" : "Name")}
      {kind !== "schedule" && field("version", "Version (the next one if left empty)", false)}
      {kind === "schedule" && (
        <>
          <label className="dialog-field"><span>When</span><select className="field" value={fields.trigger} onChange={set("trigger")}><option value="cron">a cron expression</option><option value="recurrence">every so often</option></select></label>
          {fields.trigger === "cron" ? field("expression", "Minute, hour, day, month, day of the week") : (
            <div className="form-new">{field("interval", "Every")}<label className="dialog-field"><span>Unit</span><select className="field" value={fields.frequency} onChange={set("frequency")}>{["minute", "hour", "day", "week", "month"].map((one) => <option key={one}>{one}</option>)}</select></label></div>
          )}
          {field("zone", "Time zone")}
        </>
      )}
    </FormDialog>
  );
}

/** The version that a component's file has; a copy of a version becomes the next one. */
function findOwnVersion({ drawing: { kind, head }, origin }: DesignerStore): string {
  return kind === "component" && origin.kind !== "copy" ? showValue(head.version ?? null) : "";
}

/** Do it, and return what was done in a sentence. */
async function send(store: DesignerStore, kind: PublishKind, fields: Fields): Promise<string> {
  const body = { text: store.text, folder: store.folder, file: store.fileName };
  if (kind === "component") {
    const made = await store.routes.submit<{ name: string; version: string }>(kind, body, { name: fields.name, version: fields.version });
    return `component '${made.name}' has version ${made.version}`;
  }
  if (kind === "endpoint") {
    const made = await store.routes.submit<{ name: string; component: string }>(kind, body, { endpoint: fields.endpoint, deployment: fields.deployment, component_name: fields.name, version: fields.version });
    return `batch endpoint '${made.name}' runs ${made.component}`;
  }
  const when = fields.trigger === "cron" ? { type: "cron", expression: fields.expression } : { type: "recurrence", frequency: fields.frequency, interval: Number(fields.interval) };
  const made = await store.routes.submit<{ name: string }>(kind, body, { name: fields.name, trigger: { ...when, time_zone: fields.zone } });
  return `schedule '${made.name}' is on`;
}
