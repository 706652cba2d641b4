import type { GraphJob } from "../api/types";
import { useQuery } from "../api/useQuery";
import { useApi } from "../shell/context";
import { ErrorMessage } from "../shell/messages";
import { CommandBlock } from "./CommandBlock";

/** The job as the API has it. */
export default function BodyTab({ job }: { job: GraphJob }) {
  const api = useApi();
  const found = useQuery(`${api.own} ${job.name} ${job.status} body`, () => api.getJob(job.name));
  if (found.error) return <ErrorMessage error={found.error} retry={found.reload} />;
  if (!found.data) return null;
  return (
    <div className="summary">
      <CommandBlock title="As YAML" text={`smalt job show --name ${job.name} --output yaml`} />
      <CommandBlock title="As the API has it" text={JSON.stringify(found.data.properties, null, 2)} />
    </div>
  );
}
