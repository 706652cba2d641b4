import { getDocument } from "../api/details";
import type { GraphJob } from "../api/types";
import { useQuery } from "../api/useQuery";
import { useApi } from "../shell/context";
import { ErrorMessage } from "../shell/messages";
import { CommandBlock } from "./CommandBlock";

/** The job as YAML, on the command line, and as the API has it. */
export default function BodyTab({ job }: { job: GraphJob }) {
  const api = useApi();
  const found = useQuery(`${api.own} ${job.name} ${job.status} body`, () => Promise.all([api.getJob(job.name), getDocument(api, job.name)]));
  if (found.error) return <ErrorMessage error={found.error} retry={found.reload} />;
  if (!found.data) return null;
  const [body, { yaml }] = found.data;
  return (
    <div className="summary">
      <CommandBlock title="As YAML" text={yaml} />
      <CommandBlock title="On the command line" text={`smalt job export --name ${job.name} --folder ${job.name}   # with its code, components and environments\nsmalt job create --file ${job.name}/job.yml`} />
      <CommandBlock title="As the API has it" text={JSON.stringify(body.properties, null, 2)} />
    </div>
  );
}
