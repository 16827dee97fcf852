"""The fit behind ``bench.wording``, in an environment with scikit-learn: features and labels in, weights out.

    python wording_fit.py PAGES.jsonl OUT.json

Each line of PAGES: features (list of texts), medical (bool), weight, group. Logistic regression with an L2 penalty over
binary features, weighted by inverse document frequency and normalised to length one; twice, the second time with the
``KEPT`` features alone that weigh most. A feature is taken when at least ``SEEN`` groups (sources) have it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

KEPT = 30_000
SEEN = 3
PENALTY = 100.0  # inverse strength; from 30 to 300 nothing changes on documents kept apart


def main(pages: Path, out: Path) -> None:
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    rows: list[dict[str, Any]] = [json.loads(line) for line in pages.read_text("utf-8").splitlines()]
    groups: dict[str, set[str]] = {}
    for row in rows:
        for feature in row["features"]:
            if len(seen := groups.setdefault(feature, set())) < SEEN:
                seen.add(row["group"])
    vocabulary = sorted(feature for feature, seen in groups.items() if len(seen) >= SEEN)
    labels = np.array([row["medical"] for row in rows])
    weights = np.array([row["weight"] for row in rows], dtype=float)
    for share in (labels, ~labels):  # both answers weigh the same
        weights[share] *= weights.sum() / 2 / weights[share].sum()
    for last in (False, True):
        vectors = TfidfVectorizer(analyzer=list, vocabulary=vocabulary, binary=True)
        matrix = vectors.fit_transform([row["features"] for row in rows])
        model = LogisticRegression(solver="liblinear", C=PENALTY)
        model.fit(matrix, labels, sample_weight=weights)
        if not last:
            worth = np.abs(model.coef_[0] * vectors.idf_) * np.sqrt(np.asarray((matrix > 0).sum(axis=0))[0])
            vocabulary = sorted(vocabulary[index] for index in np.argsort(-worth)[:KEPT])
    found = [[feature, float(weight), float(idf)]
             for feature, weight, idf in zip(vocabulary, model.coef_[0], vectors.idf_, strict=True)]  # fmt: skip
    out.write_text(json.dumps({"bias": float(model.intercept_[0]), "features": found}), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
