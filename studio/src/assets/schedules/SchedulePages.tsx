import { useEffect } from "react";
import { send } from "../../api/client";
import { joinPath, listResources, type Resource } from "../../api/resources";
import { useQuery } from "../../api/useQuery";
import { CommandBlock } from "../../job/CommandBlock";
import { offerCommands } from "../../shell/commands";
import { useApi } from "../../shell/context";
import { Link } from "../../shell/Link";
import { buildPath, usePlace } from "../../shell/router";
import { tell, tellError } from "../../shell/toasts";
import { formatTime } from "../../text/format";
import { DetailPage } from "../detail/DetailPage";
import { Facts, Panel } from "../detail/Facts";
import { ResourceLoader } from "../detail/ResourceLoader";
import { ResourceList } from "../list/ResourceList";
import { describeJob, describeTrigger, type ScheduleProperties } from "./trigger";

/** The name of the browser's time zone, in which times are shown. */
const HERE = new Intl.DateTimeFormat(undefined, { timeZoneName: "short" }).formatToParts(new Date()).find((part) => part.type === "timeZoneName")?.value ?? "";

type Schedule = Resource<ScheduleProperties>;

export default function SchedulePages() {
  const { rest } = usePlace();
  return rest.length ? <SchedulePage name={rest[0]} /> : <ScheduleList />;
}

function ScheduleList() {
  const api = useApi();
  const found = useQuery(`${api.own} schedules`, async () => (await listResources<ScheduleProperties>(api, "schedules", { listViewType: "All" })).value);
  return (
    <ResourceList<Schedule>
      title="Schedules" noun="schedule" icon="schedule" found={found} getKey={(one) => one.name} getText={(one) => `${one.name} ${one.properties.displayName ?? ""} ${one.properties.description ?? ""}`}
      columns={[
        { name: "Name", look: "main", render: (one) => (
          <span className="name-cell">
            <Link to={buildPath(api.workspace.folder, "schedules", one.name)}>{one.properties.displayName ?? one.name}</Link>
            {one.properties.description && <span className="sub">{one.properties.description}</span>}
          </span>
        ) },
        { name: "Due", look: "wide", render: (one) => <span className="muted">{describeTrigger(one.properties.trigger)}</span> },
        { name: "State", render: (one) => <EnabledMark isEnabled={one.properties.isEnabled !== false} /> },
      ]}
      empty={<><p>A schedule makes a job at each of its times.</p><pre>smalt schedule create --file schedule.yml</pre></>}
    />
  );
}

const EnabledMark = ({ isEnabled }: { isEnabled: boolean }) => <span className={`badge look-${isEnabled ? "completed" : "waiting"}`}>{isEnabled ? "enabled" : "disabled"}</span>;

function SchedulePage({ name }: { name: string }) {
  return (
    <ResourceLoader<ScheduleProperties> path={joinPath("schedules", name)}>
      {({ properties }, reload) => (
        <DetailPage
          list={{ name: "Schedules", path: "schedules" }} title={properties.displayName ?? name} badges={<EnabledMark isEnabled={properties.isEnabled !== false} />}
          actions={<ScheduleActions name={name} isEnabled={properties.isEnabled !== false} onDone={reload} />}
          tabs={[{ key: "summary", name: "Summary", render: () => <ScheduleSummary name={name} properties={properties} /> }]}
        />
      )}
    </ResourceLoader>
  );
}

function ScheduleActions({ name, isEnabled, onDone }: { name: string; isEnabled: boolean; onDone: () => void }) {
  const api = useApi();
  const path = `${api.workspace.id}/${joinPath("schedules", name)}`;
  const turn = () => send("PATCH", path, { properties: { isEnabled: !isEnabled } }).then(() => { tell(isEnabled ? "disabled the schedule" : "enabled the schedule"); onDone(); }, tellError);
  const trigger = () => send<{ submissionId: string }>("POST", `${path}/trigger`, {}).then(({ submissionId }) => { tell(`made job ${submissionId}`); onDone(); }, tellError);
  useEffect(() => offerCommands(() => [
    { name: "Trigger this schedule now", what: "this page", run: () => void trigger() },
    { name: isEnabled ? "Disable this schedule" : "Enable this schedule", what: "this page", run: () => void turn() },
  ]), [name, isEnabled]);
  return (
    <>
      <button className="button" onClick={turn}>{isEnabled ? "Disable" : "Enable"}</button>
      <button className="button primary" onClick={trigger}>Trigger now</button>
    </>
  );
}

function ScheduleSummary({ name, properties }: { name: string; properties: ScheduleProperties }) {
  const api = useApi();
  const show = (text: string) => `${formatTime(Date.parse(text) / 1000)} ${HERE}`;
  const { trigger, nextTimes = [], lastTicks = [] } = properties;
  return (
    <div className="summary">
      <Panel title="Schedule">
        {properties.description && <p className="described">{properties.description}</p>}
        <Facts facts={[
          ["Due", describeTrigger(trigger)],
          ["Time zone", trigger?.timeZone],
          ["From", trigger?.startTime],
          ["Until", trigger?.endTime],
          ["Makes", properties.action?.actionType === "InvokeBatchEndpoint" ? "an invocation of a batch endpoint" : describeJob(properties.action?.jobDefinition)],
        ]} />
      </Panel>
      <div className="columns">
        <Panel title="Next times">
          {nextTimes.length ? <ul className="plain-list">{nextTimes.map((time) => <li key={time}>{show(time)}</li>)}</ul> : <p className="muted">{properties.isEnabled === false ? "None while it is disabled." : "None."}</p>}
        </Panel>
        <Panel title="Last ticks">
          {lastTicks.length ? (
            <table className="plain">
              <thead><tr><th>Time</th><th>What became of it</th></tr></thead>
              <tbody>
                {lastTicks.map((tick) => (
                  <tr key={`${tick.time} ${tick.cause}`}>
                    <td>{show(tick.time)}{tick.count ? ` and ${tick.count - 1} more` : ""}</td>
                    <td>{tick.job ? <Link to={buildPath(api.workspace.folder, "jobs", tick.job)}>{tick.job}</Link> : <>{tick.status}{tick.reason ? `: ${tick.reason}` : ""}</>}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          ) : <p className="muted">It has not run yet.</p>}
        </Panel>
      </div>
      <CommandBlock title="On the command line" text={`smalt schedule show --name ${name}\nsmalt schedule trigger --name ${name}\nsmalt schedule ${properties.isEnabled === false ? "enable" : "disable"} --name ${name}`} />
    </div>
  );
}
