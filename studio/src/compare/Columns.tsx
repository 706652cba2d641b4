import type { CSSProperties } from "react";
import type { ComparedJob } from "../api/types";
import { listColours } from "../curves/colours";
import { useThemeCount } from "../shell/useThemeCount";

type Named = Pick<ComparedJob, "name" | "display_name">;

/** The head of a table with a column for each job, in the colour of its curves; those of one display name are told apart. */
export function Columns({ first, jobs }: { first: string; jobs: Named[] }) {
  useThemeCount();
  const colours = listColours();
  const isAmbiguous = (job: Named) => job.display_name !== undefined && jobs.some((one) => one !== job && one.display_name === job.display_name);
  return (
    <thead>
      <tr>
        <th scope="col">{first}</th>
        {jobs.map((job, k) => (
          <th key={job.name} scope="col" title={job.name}>
            <span className="column" style={{ "--own": colours[k % colours.length] } as CSSProperties}>{job.display_name ?? job.name}{isAmbiguous(job) && <code>{job.name}</code>}</span>
          </th>
        ))}
      </tr>
    </thead>
  );
}
