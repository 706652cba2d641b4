"""Conda packages on PyPI: those of the same name, those of another, and those included in PyPI's wheels."""

from __future__ import annotations

_SAME = """
absl-py accelerate adlfs aiohttp alembic altair anyio appdirs arrow asgiref astropy attrs azure-core
azure-identity azure-storage-blob babel backports.zoneinfo bcrypt beautifulsoup4 biopython black
bleach bokeh boto3 botocore bottleneck cachetools catboost category_encoders certifi cffi chardet
charset-normalizer click cloudpickle colorama colorlog configargparse coverage cryptography cvxpy
cycler cython dask dask-ml databricks-cli datasets debugpy decorator deepspeed deltalake dill
distributed django docker docutils duckdb dvc emcee evaluate exceptiongroup faiss-cpu faker fastapi
fastparquet filelock flake8 flask flatbuffers flax fonttools fs-gcsfs fsspec ftfy future gcsfs
gensim geopandas gitpython google-auth google-cloud-storage greenlet grpcio gspread gunicorn gym
h5netcdf h5py holidays holoviews httpx huggingface_hub hydra-core hyperopt hypothesis idna imageio
imbalanced-learn imgaug importlib-metadata importlib_metadata inference-schema iniconfig ipykernel
ipython ipywidgets isodate isort jax jaxlib jedi jinja2 jmespath joblib json5 jsonschema jupyter
jupyter-server-proxy jupyterlab kaggle keras kiwisolver kornia langchain librosa lightgbm lightning
lime llvmlite lmdb loguru lxml markdown markupsafe marshmallow matplotlib matplotlib-inline mlflow
mlflow-skinny mltable mlxtend more-itertools moto multidict mypy nbconvert nbformat networkx nibabel
nltk notebook notebook-shim numba numexpr numpy oauthlib omegaconf onnx onnxconverter-common
onnxmltools onnxruntime openpyxl optuna orjson packaging pandas pandas-datareader pandas-profiling
pandera papermill paramiko pathspec patsy peewee peft pexpect pillow pip pipdeptree platformdirs
plotly plotnine pluggy polars pooch portalocker pre-commit prettytable prometheus_client prophet
protobuf psutil psycopg2 psycopg2-binary py-cpuinfo py4j pyarrow pybind11 pycocotools pycparser
pydantic pydicom pydot pygments pyjwt pymc pymongo pymysql pynndescent pyodbc pyopenssl pyparsing
pyproj pyserial pyspark pytest pytest-cov python-dateutil python-dotenv python-json-logger
python-slugify python-snappy pytorch-lightning pytz pywavelets pyyaml pyzmq rasterio ray regex
requests requests-oauthlib rich ruamel.yaml ruff s3fs sacrebleu sacremoses safetensors scikit-image
scikit-learn scikit-optimize scikit-plot scipy seaborn sentencepiece sentry-sdk seqeval setuptools
setuptools-scm shap shapely simplejson six skl2onnx skorch sktime smart_open snakeviz
sortedcontainers spacy sqlalchemy sqlparse statsmodels streamlit sympy tabulate tblib tenacity
tensorboard tensorboardx tensorflow tensorflow-cpu tensorflow-datasets tensorflow-hub
tensorflow-probability tensorflow-text termcolor textblob threadpoolctl tifffile tiktoken timm
tokenizers toml tomli toolz torch torchaudio torchmetrics torchtext torchvision tornado tqdm
transformers typer typing-extensions typing_extensions tzdata tzlocal ujson umap-learn urllib3
uvicorn virtualenv wandb watchdog websocket-client websockets werkzeug wheel wordcloud wrapt xarray
xgboost xlrd xlsxwriter xlwt yapf yarl zarr zipp zstandard
"""

_OTHER = {
    "dask-core": "dask",
    "faiss": "faiss-cpu",
    "ipython_genutils": "ipython-genutils",
    "jinja": "jinja2",
    "keras-base": "keras",
    "matplotlib-base": "matplotlib",
    "msgpack-python": "msgpack",
    "numpy-base": "numpy",
    "opencv": "opencv-python-headless",
    "py-opencv": "opencv-python-headless",
    "py-xgboost": "xgboost",
    "py-xgboost-cpu": "xgboost",
    "py-xgboost-gpu": "xgboost",
    "pyarrow-core": "pyarrow",
    "pytables": "tables",
    "python-duckdb": "duckdb",
    "python-graphviz": "graphviz",
    "python-kaleido": "kaleido",
    "python-lmdb": "lmdb",
    "pytorch": "torch",
    "pytorch-cpu": "torch",
    "pytorch-gpu": "torch",
    "seaborn-base": "seaborn",
    "tensorflow-base": "tensorflow",
    "tensorflow-gpu": "tensorflow",
    "xgboost-cpu": "xgboost",
}

_BROUGHT_ALONG = """
blas cpuonly cuda-runtime cuda-toolkit cudatoolkit cudnn intel-openmp libblas libcblas libgfortran libgomp
libopenblas libtorch-cpu libxgboost mkl mkl-service nccl openblas pytorch-cuda pytorch-mutex
"""


def find_pypi_name(conda_name: str) -> str | None:
    """Return PyPI's name of a conda package; None if it is not known to be there."""
    name = conda_name.lower()
    return _OTHER.get(name) or _KNOWN.get(_normalize(name))


def is_included(conda_name: str) -> bool:
    """True for a library that PyPI's wheels include, so that there is nothing to install."""
    return conda_name.lower() in _BROUGHT_ALONG.split()


def _normalize(name: str) -> str:
    return name.replace("_", "-").replace(".", "-")


_KNOWN = {_normalize(name): name for name in _SAME.split()}
