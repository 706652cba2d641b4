import { getWaitReason } from "../api/details";
import type { GraphJob } from "../api/types";
import { useQuery } from "../api/useQuery";
import { usePolling } from "../compare/usePolling";
import { useApi } from "../shell/context";
import { Icon } from "../shell/icons";

/** What a job that has not started waits for, in the words of `smalt job show`. */
export function WaitNote({ job }: { job: GraphJob }) {
  const api = useApi();
  const found = useQuery(`${api.own} ${job.name} ${job.status} waits`, () => getWaitReason(api, job.name));
  usePolling([job], found.reload);
  if (!found.data) return null;
  return (
    <div className="message" role="status">
      <Icon name="time" />
      <div className="text">It waits for {found.data}.</div>
    </div>
  );
}
