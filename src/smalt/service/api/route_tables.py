"""The tables of all routes: those of the server, and those of a workspace by the prefix of their protocol."""

from __future__ import annotations

from smalt.service.api import key_vault
from smalt.service.api.arm import (
    cloud,
    codes,
    components,
    computes,
    data,
    datastores,
    environments,
    jobs,
    models,
    published_pipelines,
    registries,
    run_history,
    stored_resources,
    vm_sizes,
    workspaces,
)
from smalt.service.api.comparison import job_comparison, step_comparison
from smalt.service.api.drafts import (
    component_palette,
    document_checks,
    draft_files,
    folder_files,
    step_fields,
    submission,
)
from smalt.service.api.job_details import (
    code_files,
    job_code,
    job_document,
    job_environment,
    job_graph,
    job_ports,
    job_progress,
    job_rerun,
    job_stream,
    log_search,
)
from smalt.service.api.native import (
    archives,
    asset_batches,
    changes,
    config,
    costs,
    datastore_files,
    datastore_uploads,
    debug,
    doctor,
    job_table,
    lineage,
    metrics,
    overview,
    prune,
    reuse,
    snapshot_uploads,
    status,
    trials,
)
from smalt.service.api.native.assets import (
    asset_documents,
    asset_files,
    asset_table,
    asset_users,
    code_versions,
    compute_slots,
    disk_usage,
    environment_builds,
)
from smalt.service.api.router import RouteTable
from smalt.service.api.studio import pages as studio_pages
from smalt.service.api.studio import sign_in as studio_sign_in

SERVER_TABLES: list[RouteTable] = [
    status.ROUTES,
    cloud.ROUTES,
    config.ROUTES,
    workspaces.GLOBAL_ROUTES,
    snapshot_uploads.GLOBAL_ROUTES,
    prune.ROUTES,
    costs.GLOBAL_ROUTES,
    doctor.ROUTES,
    key_vault.GLOBAL_ROUTES,
    environments.GLOBAL_ROUTES,
    registries.GLOBAL_ROUTES,
    vm_sizes.GLOBAL_ROUTES,
    compute_slots.GLOBAL_ROUTES,
    disk_usage.GLOBAL_ROUTES,
    studio_pages.ROUTES,
    studio_sign_in.ROUTES,
]


_ASSETS = (components.COMPONENTS, environments.ENVIRONMENTS, data.DATA, models.MODELS, codes.CODES)


WORKSPACE_TABLES: dict[str, list[RouteTable]] = {
    "": [
        workspaces.ROUTES,
        jobs.ROUTES,
        computes.ROUTES,
        datastores.ROUTES,
        *(collection.list_routes() for collection in (*_ASSETS, *stored_resources.COLLECTIONS)),
    ],
    "/smalt/v1": [
        jobs.OWN_ROUTES,
        components.OWN_ROUTES,
        debug.OWN_ROUTES,
        reuse.OWN_ROUTES,
        job_stream.ROUTES,
        job_table.ROUTES,
        job_graph.ROUTES,
        job_ports.ROUTES,
        job_rerun.ROUTES,
        changes.ROUTES,
        metrics.ROUTES,
        overview.ROUTES,
        trials.ROUTES,
        costs.ROUTES,
        job_comparison.ROUTES,
        step_comparison.ROUTES,
        snapshot_uploads.ROUTES,
        archives.ROUTES,
        registries.ROUTES,
        lineage.ROUTES,
        job_code.ROUTES,
        code_files.ROUTES,
        log_search.ROUTES,
        job_progress.ROUTES,
        job_environment.ROUTES,
        job_document.ROUTES,
        asset_batches.ROUTES,
        asset_table.ROUTES,
        asset_documents.ROUTES,
        asset_files.ROUTES,
        asset_users.ROUTES,
        environment_builds.ROUTES,
        code_versions.ROUTES,
        datastore_files.ROUTES,
        datastore_uploads.ROUTES,
        key_vault.ROUTES,
        folder_files.ROUTES,
        component_palette.ROUTES,
        step_fields.ROUTES,
        document_checks.ROUTES,
        draft_files.ROUTES,
        submission.ROUTES,
    ],
    "/history/v1.0": [run_history.ROUTES],
    "/data/v1.0": [run_history.DATA_ROUTES],
    "/modelregistry/v1.0": [run_history.MODEL_ROUTES],
    "/pipelines/v1.0": [published_pipelines.ROUTES],
}
