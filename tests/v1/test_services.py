"""`Model.deploy`: a model of SDK v1 behind an online endpoint of v2, with the real inference server."""

from __future__ import annotations

import json

from tests.v1.conftest import Programs

PROGRAM = """\
import json, sys
from azureml.core import Environment, Model, Workspace
from azureml.core.model import InferenceConfig
from azureml.core.webservice import AciWebservice, Webservice
from azureml.exceptions import WebserviceException
ws = Workspace.from_config()
model = Model.register(ws, 'model.txt', 'words')
environment = Environment('scoring')
environment.python.conda_dependencies.set_python_version('.'.join(map(str, sys.version_info[:2])))
config = InferenceConfig('score.py', environment=environment)
service = Model.deploy(ws, 'words', [model], config, AciWebservice.deploy_configuration(cpu_cores=1, tags={'a': 'b'}))
service.wait_for_deployment(show_output=True)
found = Webservice(ws, 'words')
said = found.run(input_data=json.dumps({'data': [1]}))
answer = [found.state, said, found.tags, list(ws.webservices), len(found.get_keys())]
found.delete()
try:
    Webservice(ws, 'words')
except WebserviceException as error:
    answer.append(error.message)
print('answer', json.dumps(answer))
"""
SCORE = """\
import json, os

def init():
    global words
    words = open(os.path.join(os.environ['AZUREML_MODEL_DIR'], 'model.txt')).read()

def run(data):
    return {'data': json.loads(data)['data'], 'words': words}
"""


def test_a_model_is_deployed_asked_and_deleted(served: Programs) -> None:
    served.write("model.txt", "weights")
    served.write("score.py", SCORE)
    served.write("deploy.py", PROGRAM)
    ran = served.python("deploy.py")
    assert ran.code == 0, ran.err
    answer = json.loads(ran.out.rpartition("answer ")[2])
    assert answer[:2] == ["Healthy", {"data": [1], "words": "weights"}]
    assert answer[2:5] == [{"a": "b"}, ["words"], 2]
    assert answer[5] == "WebserviceNotFound: there is no service 'words' in workspace 'default'"
