"""The interface as it is described (collector/openapi.yaml), against the routes that there are and, with Schemathesis,
against what they answer to requests of every kind: as described, and as far from it as it can think of.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from starlette.routing import Mount, Route

from agent.crypto.signing import FileKey
from collector import app
from collector.access import Access
from collector.enrol.authority import load_authority
from collector.figures import DESCRIPTION
from collector.ingest.verifiers import Verifiers
from collector.ingest.witness import Witness
from collector.ingest.writer import Writer
from collector.service import Service
from collector.sync.admission import Admission
from collector.tuf.repository import ServerRepository

TOKEN = "a-token-of-more-than-sixteen"
DESCRIBED = yaml.safe_load(DESCRIPTION.read_text())
OPERATIONS = sorted((method.upper(), path) for path, methods in DESCRIBED["paths"].items() for method in methods)
EXAMPLES = 10
NOT_SAID = ["--exclude-checks", "positive_data_acceptance"]
"""What a certificate request, a policy or a record must be is more than a schema says: much that fits is refused."""
HOOKS = str(Path(__file__).with_name("schemathesis_hooks.py"))


@pytest.fixture
def service(light_store, tmp_path):
    writer = Writer(light_store)
    service = Service(light_store, writer, Access(TOKEN), Witness(FileKey()), Verifiers(0), load_authority(tmp_path))
    service.policies = ServerRepository(tmp_path)
    service.admission = Admission(rate=1e9, burst=1e9)
    yield service
    writer.close()


def test_every_route_for_machines_is_described_and_nothing_else(service):
    routes = [route for route in app.build(service)._app.routes if not isinstance(route, Mount)]
    assert all(isinstance(route, Route) for route in routes)
    found = {
        (method, re.sub(r":\w+}", "}", route.path))
        for route in routes
        if route.path.startswith("/v1/") or route.path in {"/health", "/metrics", "/openapi.yaml"}
        for method in route.methods - {"HEAD"}
    }
    assert found == set(OPERATIONS)


@pytest.mark.timeout(1200)  # a thousand requests; on a busy machine they take their time
@pytest.mark.parametrize(
    ("who", "phases"), [("with the token", "examples,coverage,fuzzing"), ("a stranger", "examples,fuzzing")]
)
def test_answers_are_as_described(service, server, who, phases, tmp_path):
    """The tool itself, as its users run it: values of the description and others, checked against the answers."""
    switch, port = server
    switch.application = app.build(service)
    headers = ["--header", f"Authorization: Bearer {TOKEN}"] if who == "with the token" else []
    done = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "run", str(DESCRIPTION), "--url", f"http://127.0.0.1:{port}",
         "--phases", phases, *NOT_SAID, "--max-examples", str(EXAMPLES), "--seed", "7", "--no-color",
         "--continue-on-failure", "--generation-database", "none", "--suppress-health-check", "all", *headers],
        capture_output=True, text=True, cwd=tmp_path, timeout=1100, env=os.environ | {"NO_PROXY": "127.0.0.1", "SCHEMATHESIS_HOOKS": HOOKS},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2000:]
    assert f"{len(OPERATIONS)} tested" in done.stdout or f"{len(OPERATIONS)} selected" in done.stdout
