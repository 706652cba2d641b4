"""Schedules by Azure's client: created, listed, switched on and off, run at their times and at once."""

from __future__ import annotations

from azure.ai.ml import VERSION, dsl, load_component
from azure.ai.ml.data_transfer import Database
from azure.ai.ml.entities import (
    CronTrigger,
    Data,
    DataImport,
    ImportDataSchedule,
    JobSchedule,
    PipelineJob,
    RecurrencePattern,
    RecurrenceTrigger,
)
from azure.ai.ml.entities._load_functions import load_schedule  # where the Azure CLI has it
from desk import HOST, done, folder, ml, refused, report, waited, write

STEP = f"""
$schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json
type: command
name: step
version: "1"
inputs:
  n: {{type: integer, default: 1}}
  at: {{type: string, default: none}}
command: echo ${{{{inputs.n}}}} ${{{{inputs.at}}}}
environment: {HOST}
"""

FILE = """
$schema: https://azuremlschemas.azureedge.net/latest/schedule.schema.json
name: of_a_file
trigger:
  type: cron
  expression: "0 * * * *"
  start_time: "2022-07-10T10:00:00"
  time_zone: "Pacific Standard Time"
create_job:
  type: pipeline
  job: ./job.yml
  settings: {continue_on_step_failure: true}
  inputs: {at: "${{creation_context.trigger_time}}"}
  tags: {by: schedule}
"""

JOB = """
type: pipeline
inputs: {at: never}
settings: {default_compute: azureml:cpu}
jobs:
  a:
    type: command
    component: ./step.yml
    inputs: {at: "${{parent.inputs.at}}"}
"""


MONITOR = """
$schema: http://azureml/sdk-2-0/Schedule.json
name: drift
trigger: {type: recurrence, frequency: day, interval: 1, schedule: {hours: 3, minutes: 15}}
create_monitor:
  compute: {instance_type: standard_e4s_v3, runtime_version: "RUNTIME"}
  monitoring_target: {ml_task: classification}
  monitoring_signals:
    drifts:
      type: data_drift
      production_data:
        input_data: {path: azureml:production:1, type: uri_folder}
        data_context: model_inputs
        pre_processing_component: azureml:step:1
        data_window: {lookback_window_size: P1D, lookback_window_offset: P0D}
      reference_data:
        input_data: {path: azureml:reference:1, type: mltable}
        data_context: training
      features: {top_n_feature_importance: 20}
      metric_thresholds:
        numerical: {jensen_shannon_distance: 0.01}
  alert_notification: {emails: [a@example.com]}
"""


def pipeline(name: str = "scheduled") -> PipelineJob:
    step = load_component(write("step.yml", STEP))

    @dsl.pipeline(name=name, default_compute="cpu")
    def scheduled(n=3):  # type: ignore[no-untyped-def]
        step(n=n)

    return scheduled()


def it_runs_schedules() -> None:
    """By recurrence and by cron; listed while they are on."""
    by_day = RecurrenceTrigger(frequency="day", interval=1, schedule=RecurrencePattern(hours=10, minutes=[0, 30]))
    made = ml.schedules.begin_create_or_update(
        JobSchedule(name="daily", trigger=by_day, create_job=pipeline(), display_name="Daily", tags={"a": "b"})
    ).result()
    assert (made.name, made.display_name, made.is_enabled, made.provisioning_state) == (
        "daily",
        "Daily",
        True,
        "Succeeded",
    )
    found = ml.schedules.get("daily")
    assert (found.trigger.frequency, found.trigger.schedule.minutes) == ("day", [0, 30])
    assert found.create_job.type == "pipeline"
    cron = JobSchedule(name="cron", trigger=CronTrigger(expression="15 10 * * 1"), create_job=pipeline())
    assert waited(ml.schedules.begin_create_or_update(cron)).trigger.expression == "15 10 * * 1"
    assert waited(ml.schedules.begin_disable("cron")).is_enabled is False
    assert [one.name for one in ml.schedules.list()] == ["daily"]
    assert sorted(one.name for one in ml.schedules.list(list_view_type="All")) == ["cron", "daily"]
    assert waited(ml.schedules.begin_enable("cron")).is_enabled is True
    triggered = ml.schedules.trigger("daily")
    assert triggered.schedule_action_type == "CreateJob"
    job = done(ml.jobs.get(triggered.job_name))
    assert job.display_name.startswith("daily-2")
    assert job.properties["smalt.schedule"] == "daily"
    waited(ml.schedules.begin_disable("cron"))
    waited(ml.schedules.begin_delete("cron"))
    assert "no schedule 'cron'" in refused(lambda: ml.schedules.get("cron"))


def it_begins_at_once() -> None:
    """A recurrence without a start: its first job is there when the answer is."""
    trigger = RecurrenceTrigger(frequency="hour", interval=1)
    waited(ml.schedules.begin_create_or_update(JobSchedule(name="hourly", trigger=trigger, create_job=pipeline())))
    first = waited_for_job("hourly-")
    assert done(first).status == "Completed"
    waited(ml.schedules.begin_disable("hourly"))


def waited_for_job(prefix: str) -> PipelineJob:
    for _ in range(1000):
        for job in ml.jobs.list():
            if job.display_name.startswith(prefix):
                return job
    raise AssertionError(f"no job {prefix}…")


def it_runs_the_schedule_of_a_file() -> None:
    """A job file with some settings overridden; the time of the tick is an input."""
    write("step.yml", STEP)
    write("job.yml", JOB)
    made = waited(ml.schedules.begin_create_or_update(load_schedule(write("schedule.yml", FILE))))
    assert made.trigger.time_zone == "Pacific Standard Time"
    job = done(ml.jobs.get(ml.schedules.trigger("of_a_file").job_name))
    assert job.tags["by"] == "schedule"
    assert job.inputs["at"]._data.startswith("20")


def it_runs_a_job_again() -> None:
    """The job that the schedule names."""
    job = done(ml.jobs.create_or_update(pipeline()))
    schedule = JobSchedule(name="again", trigger=CronTrigger(expression="1 1 * * *"), create_job=job.id)
    waited(ml.schedules.begin_create_or_update(schedule))
    again = done(ml.jobs.get(ml.schedules.trigger("again").job_name))
    assert again.name != job.name
    assert list(again.jobs) == list(job.jobs)


def it_keeps_monitors() -> None:
    """As they were described; they have no ticks."""
    ml.components.create_or_update(load_component(write("step.yml", STEP)))
    for name in ("production", "reference"):
        write(f"{name}/MLTable", "paths: [{file: ./a.csv}]\ntransformations: [read_delimited: {}]\n")
        write(f"{name}/a.csv", "a\n1\n")
        kind = "uri_folder" if name == "production" else "mltable"
        ml.data.create_or_update(Data(name=name, version="1", type=kind, path=str(folder / name)))
    runtime = "3.3" if VERSION.startswith("1.20.") else "3.4"  # the only one that the client takes
    monitor = load_schedule(write("monitor.yml", MONITOR.replace("RUNTIME", runtime)))
    waited(ml.schedules.begin_create_or_update(monitor))
    found = ml.schedules.get("drift")
    assert found.create_monitor.monitoring_signals["drifts"].features.top_n_feature_importance == 20
    assert "runs no monitors" in refused(lambda: ml.schedules.trigger("drift"))


def it_refuses_what_could_make_no_job() -> None:
    """When the schedule is sent, in one sentence."""
    never = JobSchedule(name="never", trigger=CronTrigger(expression="0 0 31 2 *"), create_job=pipeline())
    assert "no time that ever comes" in refused(lambda: ml.schedules.begin_create_or_update(never))
    source = Database(connection="azureml:nosuch", query="select 1")
    data = DataImport(
        name="rows", type="mltable", path="azureml://datastores/workspaceblobstore/paths/x", source=source
    )
    schedule = ImportDataSchedule(name="rows", trigger=CronTrigger(expression="1 1 * * *"), import_data=data)
    assert "no connection 'nosuch'" in refused(lambda: ml.schedules.begin_create_or_update(schedule))


if __name__ == "__main__":
    report()
