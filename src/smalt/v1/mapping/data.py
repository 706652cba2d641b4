"""The rows of datastores, datasets and what names a place in them."""

from __future__ import annotations

from smalt.v1.mapping.rows import MappedName

_TABLE = "v2 reads a table by mltable; its steps are those of the MLTable file"
_TIME = "v2's tables have no timestamp columns; filter by mltable's filter(…), or the frame"
_OPEN = "give its address as Input(path=…), or keep a copy in a datastore"
_SQL = "v2 reads a database by a data transfer: import_data(source=Database(…))"
_UPLOAD = (
    "v2 uploads by a data asset: ml_client.data.create_or_update(Data(path=…)); or by azureml-fsspec's "
    "AzureMachineLearningFileSystem(uri).upload(lpath, rpath)"
)
_SAVE = (
    "write the frame to a folder, describe it by mltable, and register that by ml_client.data.create_or_update(Data(…))"
)

ROWS = (
    MappedName("Datastore", "ml_client.datastores.get(name)"),
    MappedName("Datastore.get", "ml_client.datastores.get(name)"),
    MappedName("Datastore.get_default", "ml_client.datastores.get_default()"),
    MappedName("Datastore.name", "datastore.name"),
    MappedName("Datastore.path", '"azureml://datastores/NAME/paths/PATH"'),
    MappedName("Datastore.upload", "a data asset, or azureml-fsspec", "differs", _UPLOAD),
    MappedName("Datastore.upload_files", "a data asset, or azureml-fsspec", "differs", _UPLOAD),
    MappedName(
        "Datastore.download",
        "azureml-fsspec",
        "differs",
        "v2 downloads by AzureMachineLearningFileSystem(uri).download(rpath, lpath)",
    ),
    MappedName(
        "Datastore.register_azure_blob_container", "ml_client.datastores.create_or_update(AzureBlobDatastore(…))"
    ),
    MappedName("Datastore.register_azure_file_share", "ml_client.datastores.create_or_update(AzureFileDatastore(…))"),
    MappedName(
        "Datastore.register_azure_data_lake_gen2",
        "ml_client.datastores.create_or_update(AzureDataLakeGen2Datastore(…))",
    ),
    MappedName(
        "Datastore.register_azure_data_lake", "ml_client.datastores.create_or_update(AzureDataLakeGen1Datastore(…))"
    ),
    MappedName("Datastore.register_azure_sql_database", "none", "refused", f"v2 has no datastore for it; {_SQL}"),
    MappedName("Datastore.register_azure_postgre_sql", "none", "refused", f"v2 has no datastore for it; {_SQL}"),
    MappedName("Datastore.register_azure_my_sql", "none", "refused", f"v2 has no datastore for it; {_SQL}"),
    MappedName(
        "Datastore.register_dbfs", "none", "refused", "v2 has no datastore for DBFS; copy the files to one of its own"
    ),
    MappedName("Datastore.container_name", "datastore.container_name"),
    MappedName("Datastore.account_name", "datastore.account_name"),
    MappedName("Datastore.datastore_type", "datastore.type"),
    MappedName("DataReference", 'Input(path="azureml://datastores/NAME/paths/PATH", mode=…)'),
    MappedName("DataReference.to_config", "Input(…)"),
    MappedName("DataPath", 'Input(path="azureml://datastores/NAME/paths/PATH")'),
    MappedName("DataPathComputeBinding", "Input(mode=…)"),
    MappedName("SqlDataReference", "import_data(source=Database(…))", "refused", _SQL),
    # Datasets
    MappedName("Dataset", "Data: a data asset"),
    MappedName("Dataset.get_by_name", "ml_client.data.get(name, label='latest')"),
    MappedName(
        "Dataset.get_by_id",
        "ml_client.data.get(name, version)",
        "differs",
        "v2's ids are paths of the service; scripts get the path of their input",
    ),
    MappedName("Dataset.get_all", "ml_client.data.list()"),
    MappedName("Dataset.File", "Data(type='uri_folder')"),
    MappedName("Dataset.File.from_files", "Input(type='uri_folder', path=…); uri_file for one file"),
    MappedName("Dataset.File.upload_directory", "ml_client.data.create_or_update(Data(path=…))", "differs", _UPLOAD),
    MappedName("FileDatasetFactory.from_files", "Input(type='uri_folder', path=…); uri_file for one file"),
    MappedName("FileDatasetFactory", "Input(…)"),
    MappedName("Dataset.Tabular", "Data(type='mltable')"),
    MappedName(
        "Dataset.Tabular.from_delimited_files",
        "mltable.from_delimited_files(paths=[…])",
        "differs",
        "an MLTable is saved before it is a job's input",
    ),
    MappedName(
        "Dataset.Tabular.from_parquet_files",
        "mltable.from_parquet_files(paths=[…])",
        "differs",
        "an MLTable is saved before it is a job's input",
    ),
    MappedName(
        "Dataset.Tabular.from_json_lines_files",
        "mltable.from_json_lines_files(paths=[…])",
        "differs",
        "an MLTable is saved before it is a job's input",
    ),
    MappedName("Dataset.Tabular.from_sql_query", "import_data(source=Database(…))", "refused", _SQL),
    MappedName("Dataset.Tabular.register_pandas_dataframe", "Data(type='mltable')", "differs", _SAVE),
    MappedName("PromoteHeadersBehavior", "mltable.MLTableHeaders"),
    MappedName("TabularDatasetFactory", "mltable"),
    MappedName(
        "TabularDatasetFactory.from_delimited_files",
        "mltable.from_delimited_files(paths=[…])",
        "differs",
        "an MLTable is saved before it is a job's input",
    ),
    MappedName(
        "TabularDatasetFactory.from_parquet_files",
        "mltable.from_parquet_files(paths=[…])",
        "differs",
        "an MLTable is saved before it is a job's input",
    ),
    MappedName("TabularDatasetFactory.register_pandas_dataframe", "Data(type='mltable')", "differs", _SAVE),
    MappedName("TabularDataset", "Data(type='mltable')"),
    MappedName("FileDataset", "Data(type='uri_folder')"),
    MappedName("Dataset.register", "ml_client.data.create_or_update(Data(name=…, path=…))"),
    MappedName("FileDataset.register", "ml_client.data.create_or_update(Data(name=…, path=…))"),
    MappedName("TabularDataset.register", "ml_client.data.create_or_update(Data(name=…, type='mltable', path=…))"),
    MappedName("Dataset.as_named_input", "the key in inputs={…}"),
    MappedName("FileDataset.as_named_input", "the key in inputs={…}"),
    MappedName("TabularDataset.as_named_input", "the key in inputs={…}"),
    MappedName("FileDataset.as_mount", "Input(…), whose default mode is ro_mount"),
    MappedName("FileDataset.as_download", "Input(mode='download')"),
    MappedName(
        "FileDataset.to_path", "azureml-fsspec", "differs", "v2 lists files by AzureMachineLearningFileSystem(uri).ls()"
    ),
    MappedName(
        "Dataset.to_path", "azureml-fsspec", "differs", "v2 lists files by AzureMachineLearningFileSystem(uri).ls()"
    ),
    MappedName(
        "FileDataset.download",
        "azureml-fsspec",
        "differs",
        "v2 downloads by AzureMachineLearningFileSystem(uri).download(rpath, lpath)",
    ),
    MappedName("FileDataset.take", "none", "differs", "v2 has no part of a folder; list the files in an MLTable"),
    MappedName("DatasetConsumptionConfig", "Input(…) in inputs={…}"),
    MappedName("DatasetConsumptionConfig.as_mount", "Input(…), whose default mode is ro_mount"),
    MappedName("DatasetConsumptionConfig.as_download", "Input(mode='download')"),
    MappedName(
        "DatasetConsumptionConfig.as_hdfs",
        "Input(mode='direct') of a Spark job",
        "differs",
        "a Spark job reads its inputs by their address",
    ),
    MappedName("Dataset.to_pandas_dataframe", "mltable.load(path).to_pandas_dataframe()", "differs", _TABLE),
    MappedName("TabularDataset.to_pandas_dataframe", "mltable.load(path).to_pandas_dataframe()", "differs", _TABLE),
    MappedName("Dataset.to_spark_dataframe", "spark.read", "differs", "a Spark job reads its inputs by their address"),
    *(
        MappedName(f"{kind}.{name}", form, "differs", _TABLE)
        for kind in ("Dataset", "TabularDataset")
        for name, form in (
            ("drop_columns", "table.drop_columns(columns)"),
            ("keep_columns", "table.keep_columns(columns)"),
            ("take", "table.take(count)"),
            ("skip", "table.skip(count)"),
            ("filter", "table.filter(expression)"),
            ("random_split", "table.random_split(percent, seed)"),
        )
    ),
    *(
        MappedName(f"{kind}.{name}", "table.filter(expression)", "differs", _TIME)
        for kind in ("Dataset", "TabularDataset")
        for name in (
            "with_timestamp_columns",
            "time_before",
            "time_after",
            "time_between",
            "time_recent",
            "data_changed_time",
        )
    ),
    MappedName(
        "TabularDataset.partition_by",
        "partition_keys of a parallel step",
        "differs",
        "v2 partitions when a parallel step reads the table",
    ),
    *(
        MappedName(f"TabularDataset.{name}", "the frame's own method", "refused", "call it on to_pandas_dataframe()")
        for name in ("to_json", "drop", "fillna")
    ),
    *(
        MappedName(name, "Input(path=…)", "differs", _OPEN)
        for name in ("MNIST", "NoaaIsdWeather", "NycTlcGreen", "NycTlcYellow")
    ),
    MappedName(
        "Diabetes", "sklearn.datasets.load_diabetes", "differs", "the rows are those of load_diabetes(scaled=False)"
    ),
    # Outputs
    MappedName("OutputFileDatasetConfig", "Output(type='uri_folder', path=…)"),
    MappedName("OutputFileDatasetConfig.as_input", "an input bound to step.outputs.NAME"),
    MappedName("OutputFileDatasetConfig.as_mount", "Output(mode='rw_mount')"),
    MappedName(
        "OutputFileDatasetConfig.as_upload",
        "Output(mode='upload')",
        "differs",
        "files that are there already are replaced, whatever overwrite says",
    ),
    MappedName("OutputFileDatasetConfig.register_on_complete", "Output(name=…)"),
    MappedName(
        "OutputFileDatasetConfig.read_delimited_files",
        "Output(type='mltable')",
        "differs",
        "the script writes the MLTable file",
    ),
    MappedName("OutputTabularDatasetConfig", "Output(type='mltable')", "differs", "the script writes the MLTable file"),
    MappedName(
        "HDFSOutputDatasetConfig",
        "Output(type='uri_folder', mode='direct') of a Spark job",
        "differs",
        "a Spark job writes to the address of its output",
    ),
    MappedName("HDFSOutputDatasetConfig.register_on_complete", "Output(name=…)"),
    MappedName(
        "LinkFileOutputDatasetConfig", "none", "refused", "v2 has no link outputs; write a data asset from the script"
    ),
    MappedName(
        "LinkTabularOutputDatasetConfig",
        "none",
        "refused",
        "v2 has no link outputs; write a data asset from the script",
    ),
)
