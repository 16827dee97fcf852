"""Floors on the development corpus, when it is beside the checkout; the figures themselves are bench/detection.py's."""

import importlib.util
import sys

import pytest

from tests.conftest import CHECKOUT, CORPUS


def _bench():
    spec = importlib.util.spec_from_file_location("bench_detection", CHECKOUT / "bench" / "detection.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["bench_detection"] = module  # its functions travel to worker processes by this name
    spec.loader.exec_module(module)
    return module


@pytest.mark.corpus
def test_recall_and_false_positives_on_the_development_corpus():
    bench = _bench()
    rows = bench.run(CORPUS / "manifest.jsonl", jobs=2)
    figures = {name: hits / of for name, (hits, of) in bench.summary(rows).items() if of}
    assert len(rows) > 1000
    assert figures["recall, identified medical"] >= 0.95
    assert figures["false positives, all"] <= 0.02
    assert figures["undecidable, encrypted"] == 1.0
    assert figures["internal errors"] == 0.0
