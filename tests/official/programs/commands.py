"""Command jobs."""

from __future__ import annotations

import desk
from azure.ai.ml import Input, Output, command
from azure.ai.ml.constants import ListViewType
from desk import HOST, done, folder, ml, refused, streamed, waited, write

MAIN = """
import sys, pathlib
data, folder, number, flag, out = sys.argv[1:]
print("file", open(data).read().strip(), "| folder", sorted(p.name for p in pathlib.Path(folder).iterdir()))
print("number", number, "flag", flag)
pathlib.Path(out, "result.txt").write_text("named")
pathlib.Path("outputs").mkdir(exist_ok=True)
pathlib.Path("outputs/default.txt").write_text("default")
"""
made: dict[str, str] = {}


def train(**more: object) -> object:
    return command(
        code=str(folder / "src"),
        command="python main.py ${{inputs.data}} ${{inputs.folder}} ${{inputs.number}} ${{inputs.flag}} ${{outputs.o}}",
        environment=HOST,
        inputs={
            "data": Input(type="uri_file", path=str(folder / "in.csv")),
            "folder": Input(type="uri_folder", path=str(folder / "many")),
            "number": 0.5,
            "flag": True,
        },
        outputs={"o": Output(type="uri_folder")},
        compute="cpu-cluster",
        experiment_name="official",
        display_name="train",
        tags={"team": "a"},
        **more,
    )


def it_runs_code_with_inputs_and_streams_the_log() -> None:
    """Local code, a file, a folder, literals."""
    write("src/main.py", MAIN)
    write("in.csv", "a,b\n")
    write("many/1.txt", "1")
    write("many/sub/2.txt", "2")
    job = ml.jobs.create_or_update(train())
    made["train"] = job.name
    text = streamed(job.name)
    assert "file a,b | folder ['1.txt', 'sub']" in text, text
    assert "number 0.5 flag True" in text, text
    assert "Execution Summary" in text
    assert ml.jobs.get(job.name).status == "Completed"


def it_streams_the_whole_log_of_a_job_that_is_over() -> None:
    """Each time, not only the first."""
    for _ in range(2):
        text = streamed(made["train"])
        assert text.count("number 0.5 flag True") == 1, text


def it_downloads_the_default_output() -> None:
    """`outputs/` and the logs."""
    ml.jobs.download(made["train"], download_path=folder / "default")
    assert (folder / "default/artifacts/outputs/default.txt").read_text() == "default"
    assert "number 0.5" in (folder / "default/artifacts/user_logs/std_log.txt").read_text()
    assert not (folder / "default/named-outputs").exists()


def it_downloads_a_named_output() -> None:
    """That one only."""
    ml.jobs.download(made["train"], download_path=folder / "named", output_name="o")
    assert (folder / "named/named-outputs/o/result.txt").read_text() == "named"


def it_downloads_everything() -> None:
    """Default and named outputs."""
    ml.jobs.download(made["train"], download_path=folder / "all", all=True)
    assert (folder / "all/artifacts/outputs/default.txt").exists()
    assert (folder / "all/named-outputs/o/result.txt").exists()


def it_gets_what_was_submitted() -> None:
    """Names, tags, inputs and the command."""
    job = ml.jobs.get(made["train"])
    assert (job.display_name, job.experiment_name, job.tags) == ("train", "official", {"team": "a"})
    assert job.command.startswith("python main.py ${{inputs.data}}")
    assert job.creation_context.created_at is not None


def it_lists_jobs() -> None:
    """Of every type that the workspace has."""
    assert made["train"] in [job.name for job in ml.jobs.list()]


def it_archives_and_restores() -> None:
    """An archived job is listed only on demand."""
    name = made["train"]
    ml.jobs.archive(name)
    assert name not in [job.name for job in ml.jobs.list()]
    assert name in [job.name for job in ml.jobs.list(list_view_type=ListViewType.ARCHIVED_ONLY)]
    ml.jobs.restore(name)
    assert name in [job.name for job in ml.jobs.list()]


def it_updates_what_describes_a_job() -> None:
    """Tags are merged. Clients before 1.30 have no `jobs.update`."""
    if not hasattr(ml.jobs, "update"):
        return
    job = ml.jobs.update(made["train"], display_name="other", description="said", tags={"more": "1"})
    assert (job.display_name, job.description, job.tags) == ("other", "said", {"team": "a", "more": "1"})


def it_takes_a_fetched_job_back() -> None:
    """A job that was fetched, described anew and sent again stays the same job."""
    job = ml.jobs.get(made["train"])
    job.description = "again"
    job.tags = {**job.tags, "second": "2"}
    again = ml.jobs.create_or_update(job)
    assert (again.name, again.status, again.description) == (job.name, "Completed", "again")
    assert ml.jobs.get(job.name).tags["second"] == "2"


def it_shows_services() -> None:
    """There are none."""
    assert not ml.jobs.show_services(made["train"])


def it_uploads_the_same_code_once() -> None:
    """A second job with the same folder has the same code."""
    first = ml.jobs.get(made["train"])
    second = ml.jobs.create_or_update(train())
    assert second.code == first.code, (first.code, second.code)
    done(second)


def it_takes_outputs_of_jobs_and_storage_links_as_inputs() -> None:
    """`azureml://jobs/…`, a datastore's path, and the blob's own URL."""
    account = ml.datastores.get("workspaceblobstore").account_name.rstrip("?")
    url = f"https://{account.rstrip('/')}/azureml-blobstore/azureml/{made['train']}/o/result.txt"
    job = command(
        command="cat ${{inputs.a}}/result.txt ${{inputs.b}} ${{inputs.c}}",
        environment=HOST,
        inputs={
            "a": Input(type="uri_folder", path=f"azureml://jobs/{made['train']}/outputs/o/paths/"),
            "b": Input(
                type="uri_file",
                path=f"azureml://datastores/workspaceblobstore/paths/azureml/{made['train']}/o/result.txt",
            ),
            "c": Input(type="uri_file", path=url),
        },
    )
    assert "namednamednamed" in streamed(ml.jobs.create_or_update(job).name)


def it_raises_what_a_failed_job_died_of() -> None:
    """`jobs.stream` raises with the reason, after the log."""
    job = ml.jobs.create_or_update(command(command="echo before; exit 3", environment=HOST))
    message = refused(lambda: streamed(job.name))
    assert "3" in message, message
    assert "code" in message, message
    assert ml.jobs.get(job.name).status == "Failed"


def it_cancels() -> None:
    """In seconds, not in the 30 of an unanswered poll."""
    job = ml.jobs.create_or_update(command(command="echo here; sleep 600", environment=HOST))
    waited(ml.jobs.begin_cancel(job.name))
    assert ml.jobs.get(job.name).status == "Canceled"


def it_passes_what_a_job_may_say() -> None:
    """Environment variables, limits, distribution and services survive the round trip."""
    job = command(
        command="echo said $SAID",
        environment=HOST,
        environment_variables={"SAID": "hello"},
        instance_count=1,
        shm_size="2g",
        distribution={"type": "pytorch", "process_count_per_instance": 1},
    )
    job.set_limits(timeout=60)
    sent = ml.jobs.create_or_update(job)
    over = done(sent)
    assert (over.limits.timeout, over.resources.shm_size) == (60, "2g")
    assert over.distribution.process_count_per_instance == 1
    assert over.environment_variables["SAID"] == "hello"


def it_names_what_is_not_there() -> None:
    """One sentence that the client shows."""
    assert "there is no job 'nowhere'" in refused(lambda: ml.jobs.get("nowhere"))
    job = command(command="true", environment="azureml:nothing:1")
    assert "nothing" in refused(lambda: ml.jobs.create_or_update(job))


desk.report()
