import { useEffect, useState, type FormEvent } from "react";
import { get } from "../../api/client";
import type { Resource } from "../../api/resources";
import { useApi } from "../../shell/context";
import { ErrorMessage } from "../../shell/messages";
import { formatDuration, formatTime } from "../../text/format";
import { buildSampleRequest, type MlModel } from "../models/signature";
import { Panel } from "../detail/Facts";
import { formatAnswer, sendRequest, type Answer } from "./scoring";
import type { OnlineDeployment, OnlineEndpoint } from "./types";

const SAMPLE = JSON.stringify({ data: [[1, 2, 3]] }, null, 2);
const MOST_KEPT = 10;

interface Props {
  name: string;
  endpoint: OnlineEndpoint;
  deployments: Resource<OnlineDeployment>[];
}

/** A form that sends a request to an online endpoint, with what it answered. */
export function TryTab({ name, endpoint, deployments }: Props) {
  const api = useApi();
  const [body, setBody] = useState(SAMPLE);
  const [isTouched, setTouched] = useState(false);
  const [deployment, setDeployment] = useState("");
  const [answers, setAnswers] = useState<Answer[]>([]);
  const [error, setError] = useState<Error | null>(null);
  const [isBusy, setBusy] = useState(false);
  const model = findModel(deployments, deployment);
  useEffect(() => {
    if (!model || isTouched) return;
    const [kept, version] = model;
    get<MlModel>(`${api.own}/models/${encodeURIComponent(kept)}/versions/${encodeURIComponent(version)}/mlmodel`).then(
      ({ signature }) => signature && setBody((before) => (before === SAMPLE ? buildSampleRequest(signature.inputs) : before)),
      () => {}, // no MLflow model: the sample stays as it is
    );
  }, [model?.join(":")]);
  async function submit(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      const answer = await sendRequest(api, name, endpoint, deployment, body);
      setAnswers((before) => [answer, ...before].slice(0, MOST_KEPT));
    } catch (caught) {
      setError(caught as Error);
    }
    setBusy(false);
  }
  return (
    <div className="summary">
      <form className="card panel" onSubmit={submit}>
        <h2>Send a request</h2>
        <label className="dialog-field">
          <span>To</span>
          <select className="field" value={deployment} onChange={(event) => setDeployment(event.target.value)}>
            <option value="">a deployment by the traffic</option>
            {deployments.map((one) => <option key={one.name} value={one.name}>{one.name}</option>)}
          </select>
        </label>
        <label className="dialog-field">
          <span>Body (JSON)</span>
          <textarea className="field mono request-body" rows={10} spellCheck={false} value={body} onChange={(event) => { setBody(event.target.value); setTouched(true); }} />
        </label>
        <div className="dialog-actions"><button className="button primary" disabled={isBusy}>{isBusy ? "Waiting" : "Send"}</button></div>
        {error && <ErrorMessage error={error} />}
      </form>
      <div aria-live="polite">
        {answers.map((answer) => (
          <Panel key={answer.at} title={`Answer ${answer.status}${answer.deployment ? ` of ${answer.deployment}` : ""}, after ${formatDuration(answer.seconds)}`}>
            <pre className="answer" tabIndex={0}>{formatAnswer(answer.body) || "(empty)"}</pre>
            <p className="muted">{formatTime(answer.at)}</p>
          </Panel>
        ))}
      </div>
    </div>
  );
}

/** The name and version of the registered model of the deployment that is chosen, or of the first. */
function findModel(deployments: Resource<OnlineDeployment>[], chosen: string): [string, string] | null {
  const deployment = deployments.find((one) => one.name === chosen) ?? deployments[0];
  const found = /(?:\/models\/|^azureml:)([^/:]+)(?:\/versions\/|:)([^/:]+)$/.exec(String(deployment?.properties.model ?? ""));
  return found ? [found[1], found[2]] : null;
}
