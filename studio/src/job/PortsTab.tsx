import { useState } from "react";
import type { GraphJob, Port } from "../api/types";
import { useQuery } from "../api/useQuery";
import { FileTree } from "../files/FileTree";
import { useApi } from "../shell/context";
import { Icon } from "../shell/icons";
import { Link } from "../shell/Link";
import { Empty, ErrorMessage } from "../shell/messages";
import { buildPath } from "../shell/router";
import { isOver } from "../text/states";
import { Lineage } from "./Lineage";
import { RegisterDialog } from "./RegisterDialog";
import { listRegistrable, putFittingFirst } from "./registering";

/** What a step was given, and what it made, with the files in it. */
export function PortsTab({ job }: { job: GraphJob }) {
  const api = useApi();
  const found = useQuery(`${api.own} ${job.name} ${job.status} ports`, () => api.getPorts(job.name));
  if (found.error) return <ErrorMessage error={found.error} retry={found.reload} />;
  if (!found.data) return null;
  const { inputs, outputs } = found.data;
  if (!inputs.length && !outputs.length) return <Empty icon="folder" title="It has no inputs and no outputs" />;
  const parameters = inputs.filter((port) => port.value !== undefined);
  return (
    <div className="ports">
      {parameters.length > 0 && (
        <section>
          <h3>Parameters</h3>
          <dl className="facts">{parameters.map((port) => <div className="fact" key={port.name}><dt>{port.name}</dt><dd><code>{port.value}</code></dd></div>)}</dl>
        </section>
      )}
      <Side title="Inputs" direction="inputs" ports={inputs.filter((port) => port.value === undefined)} job={job} />
      <Side title="Outputs" direction="outputs" ports={outputs} job={job} />
      <Lineage job={job} />
    </div>
  );
}

function Side({ title, direction, ports, job }: { title: string; direction: "inputs" | "outputs"; ports: Port[]; job: GraphJob }) {
  if (!ports.length) return null;
  return <section><h3>{title}</h3>{ports.map((port) => <PortCard key={port.name} direction={direction} port={port} job={job} />)}</section>;
}

function PortCard({ direction, port, job }: { direction: string; port: Port; job: GraphJob }) {
  const api = useApi();
  const [isOpen, setOpen] = useState(false);
  const [isRegistering, setRegistering] = useState(false);
  const types = direction === "outputs" && isOver(job.status) && port.uri ? listRegistrable(port.type) : [];
  const listed = useQuery(isRegistering ? `${api.own} ${job.name} ${port.name} top` : null, () => api.listPortFiles(job.name, direction, port.name, ""));
  const files = listed.data?.value.map((file) => file.path) ?? [];
  const [, kind, name, version] = /^(data|models)\/(.+)\/versions\/(.+)$/.exec(port.asset ?? "") ?? [];
  return (
    <div className="port card">
      <button className="port-head" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <Icon name={isOpen ? "down" : "right"} size={14} />
        <strong>{port.name}</strong>
        <span className="muted">{port.type.replaceAll("_", " ")}</span>
      </button>
      {kind && <Link className="badge look-running port-asset" to={buildPath(api.workspace.folder, kind, name, version)}>{name}:{version}</Link>}
      {port.uri && <code className="uri">{port.uri}</code>}
      {types.length > 0 && <button className="button small port-register" onClick={() => setRegistering(true)}><Icon name="plus" size={14} />Register<span className="visually-hidden"> {port.name}</span></button>}
      {isRegistering && <RegisterDialog job={job.name} output={port.name} types={putFittingFirst(types, files)} title={`Register the output ${port.name}`} onClose={() => setRegistering(false)} />}
      {isOpen && (
        <FileTree
          id={`${api.own} ${job.name} ${direction} ${port.name} ${job.status}`} name={port.name}
          list={(path) => api.listPortFiles(job.name, direction, port.name, path)} buildUrl={(path) => api.buildPortFileUrl(job.name, direction, port.name, path)}
        />
      )}
    </div>
  );
}
