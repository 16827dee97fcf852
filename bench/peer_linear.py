"""The reference row: a linear model on character n-grams, asked about sources that it was not trained on.

    python peer_linear.py TEXTS.jsonl      with scikit-learn; prints one JSON object

Each line of TEXTS has path, text, medical (bool) and fold (an integer: the sources are dealt into folds). Every
document is judged by the model that saw no document of its fold. It knows nothing but the texts: what it reaches is
what any learner gets for nothing.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any


def main(texts: Path) -> dict[str, Any]:
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.linear_model import LogisticRegression

    rows = [json.loads(line) for line in texts.read_text("utf-8").splitlines()]
    features = HashingVectorizer(analyzer="char_wb", ngram_range=(2, 5), n_features=1 << 20, alternate_sign=False)
    answers: dict[str, bool] = {}
    times: list[float] = []
    for fold in sorted({row["fold"] for row in rows}):
        known = [row for row in rows if row["fold"] != fold]
        model = LogisticRegression(solver="liblinear", C=10.0, class_weight="balanced")
        model.fit(features.transform([row["text"] for row in known]), [row["medical"] for row in known])
        for row in (row for row in rows if row["fold"] == fold):
            begun = time.perf_counter()
            answers[row["path"]] = bool(model.predict(features.transform([row["text"]]))[0])
            times.append((time.perf_counter() - begun) * 1e3)
    return {"answers": answers, "ms": times}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
